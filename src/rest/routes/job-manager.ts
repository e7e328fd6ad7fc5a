/** What runs jobs, as Flink's dashboard shows its job manager: configuration, process, log. */
import { hideSecrets } from '../../base/config/sensitive-keys.ts'
import { clusterConfiguration } from '../cluster-configuration.ts'
import { listLogs, logNamed, standardOutput, theLog } from '../logs.ts'
import { servedJob } from '../path-parameters.ts'
import { unknownFile } from '../refusals.ts'
import type { RestCluster } from '../rest-cluster.ts'
import { ok, type RestAnswer, RestFailure, type Route } from '../route.ts'
import { threadDump } from '../thread-dump.ts'

export const jobManagerRoutes: readonly Route[] = [
  { method: 'GET', path: '/jobmanager/config', handle: (_, cluster) => ok(clusterConfiguration(cluster)) },
  { method: 'GET', path: '/jobmanager/environment', handle: (_, cluster) => environment(cluster) },
  { method: 'GET', path: '/jobmanager/log', handle: (_, cluster) => theLog(cluster) },
  { method: 'GET', path: '/jobmanager/logs', handle: (_, cluster) => listLogs(cluster) },
  {
    method: 'GET',
    path: '/jobmanager/logs/:filename',
    handle(request, cluster) {
      const name = request.parameters.filename ?? ''
      const log = logNamed(name, cluster)
      if (log !== undefined) return log
      if (/[/\\\0]/.test(name)) throw unknownFile(`/jobmanager/logs/${name}`)
      throw new RestFailure(404, 'This file does not exist in JobManager log dir.')
    },
  },
  { method: 'GET', path: '/jobmanager/stdout', handle: standardOutput },
  { method: 'GET', path: '/jobmanager/thread-dump', handle: (_, cluster) => threadDump(cluster.process) },
  {
    method: 'GET',
    path: '/jobs/:jobid/jobmanager/config',
    handle(request, cluster) {
      const { configuration } = servedJob(request, cluster).executionGraph()
      return ok(clusterConfiguration(cluster, configuration.written))
    },
  },
  {
    method: 'GET',
    path: '/jobs/:jobid/jobmanager/environment',
    handle(request, cluster) {
      servedJob(request, cluster)
      return environment(cluster)
    },
  },
]

/** A classpath there is none: what the program imports is not known here. */
function environment({ process, settings }: RestCluster): RestAnswer {
  const hide = hideSecrets(settings.token === undefined ? [] : [settings.token])
  return ok({
    jvm: { version: `Node.js ${process.nodeVersion}`, arch: process.architecture, options: process.options.map(hide) },
    classpath: [],
  })
}
