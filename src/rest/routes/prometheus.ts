/** The metrics as Prometheus fetches them: beside the API, and on a port of their own, where nothing else is answered. */
import { prometheusText } from '../prometheus-text.ts'
import type { RestCluster } from '../rest-cluster.ts'
import type { RestAnswer, Route } from '../route.ts'

export const prometheusRoutes: readonly Route[] = [
  { method: 'GET', path: '/metrics/prometheus', handle: (_, cluster) => scrape(cluster) },
]

/** Flink's reporter answers under every path; these are the ones that are asked for. */
export const prometheusReporterRoutes: readonly Route[] = ['/', '/metrics'].map((path) => ({
  method: 'GET',
  path,
  handle: (_, cluster) => scrape(cluster),
}))

/** Whoever asks while an answer is being made gets that one: making it takes the time of the loop that runs the jobs. */
const underWay = new WeakMap<RestCluster, Promise<RestAnswer>>()

function scrape(cluster: RestCluster): Promise<RestAnswer> {
  const known = underWay.get(cluster)
  if (known !== undefined) return known
  const making = made(cluster).finally(() => underWay.delete(cluster))
  underWay.set(cluster, making)
  return making
}

async function made(cluster: RestCluster): Promise<RestAnswer> {
  const { text, contentType } = await prometheusText(cluster)
  return { status: 200, text, contentType }
}
