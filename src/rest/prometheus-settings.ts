/** Whether metrics get a port of their own for Prometheus, and which: as Flink's reporter named `prom` is configured. */
import type { ConfigurationReader } from '../base/config/configuration-reader.ts'
import { StreamError } from '../base/errors.ts'
import { portsOf } from './rest-server-options.ts'

/** Flink's, where only the reporter's class is named. */
const DEFAULT_PORT = 9249

/** The first free one is to be taken. Undefined: no port is wanted. Throws CONFIG_INVALID for what is no range of ports. */
export function prometheusPorts(configuration: ConfigurationReader): readonly number[] | undefined {
  const configured = configuration.get('metrics.reporter.prom.port')
  if (configured === undefined)
    return configuration.get('metrics.reporter.prom.factory.class') === undefined ? undefined : [DEFAULT_PORT]
  const ports = portsOf(configured)
  if (ports !== undefined) return ports
  throw new StreamError('CONFIG_INVALID', {
    message: `metrics.reporter.prom.port: ${configured} is no range of ports (${configuration.originOf('metrics.reporter.prom.port')}).`,
    hint: 'Give a port from 0 to 65535, or a range such as 9250-9260.',
    details: { key: 'metrics.reporter.prom.port', value: configured },
  })
}
