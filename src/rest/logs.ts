/** The one log that the process shows, by the name under which it is listed. No name is ever made a path. */
import type { RestCluster } from './rest-cluster.ts'
import type { RestAnswer } from './route.ts'

/** As Flink calls it: tools ask for it by this name. */
const LOG = 'flink.log'

export function listLogs({ log }: RestCluster): RestAnswer {
  return { status: 200, json: { logs: [{ name: LOG, size: log.size, mtime: log.changedAtMs }] } }
}

/** Undefined: there is none of this name. */
export function logNamed(name: string | undefined, cluster: RestCluster): RestAnswer | undefined {
  return name === LOG ? theLog(cluster) : undefined
}

export function theLog({ log }: RestCluster): RestAnswer {
  return plain(log.text())
}

/** The job has the process's standard output to itself. */
export function standardOutput(): RestAnswer {
  return plain('')
}

function plain(text: string): RestAnswer {
  return { status: 200, text, contentType: 'text/plain' }
}
