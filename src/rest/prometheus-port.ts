/** The port of its own that metrics have for Prometheus where the configuration wants one. Guarded as the REST interface is. */
import { inUrl } from './addresses.ts'
import { type Listening, listen } from './listen.ts'
import { prometheusPorts } from './prometheus-settings.ts'
import { restApplication } from './rest-application.ts'
import type { RestCluster } from './rest-cluster.ts'
import { prometheusReporterRoutes } from './routes/prometheus.ts'

/**
 * Call it before the REST interface listens, and close what it gives when that is closed. Undefined: no port is wanted.
 * Rejects with CONFIG_INVALID for what is no range of ports, with REST_NOT_LISTENING where none of them is free.
 */
export async function openPrometheusPort(cluster: RestCluster): Promise<Listening | undefined> {
  const ports = prometheusPorts(cluster.configuration)
  if (ports === undefined) return undefined
  const { logger } = cluster.ports
  const address = cluster.settings.bindAddress
  const respond = restApplication({ routes: prometheusReporterRoutes, cluster })
  const listening = await listen(respond, { address, ports, logger })
  logger.info(`metrics for Prometheus on http://${inUrl(address)}:${listening.port}/metrics`)
  return listening
}
