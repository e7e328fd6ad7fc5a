/** Whether metrics get a port of their own for Prometheus, and which: as Flink's reporter named `prom` is configured. */
import type { ConfigurationReader } from '../base/config/configuration-reader.ts'
import { portsOfOption } from './rest-server-options.ts'

/** Flink's, where only the reporter's class is named. */
const DEFAULT_PORT = 9249

/** The first free one is to be taken. Undefined: no port is wanted. Throws CONFIG_INVALID for what is no range of ports. */
export function prometheusPorts(configuration: ConfigurationReader): readonly number[] | undefined {
  const configured = configuration.get('metrics.reporter.prom.port')
  if (configured === undefined)
    return configuration.get('metrics.reporter.prom.factory.class') === undefined ? undefined : [DEFAULT_PORT]
  return portsOfOption(configuration, 'metrics.reporter.prom.port', configured)
}
