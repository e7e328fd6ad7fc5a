/** Where tasks run, as Flink names it. The process is the one task manager there is. */
import type { RestCluster } from './rest-cluster.ts'

/** `host:pid`: Flink has a data port behind the colon, but nobody connects to ours. */
export function taskManagerEndpoint(cluster: Pick<RestCluster, 'process'>): string {
  return `${cluster.process.host}:${cluster.process.pid}`
}
