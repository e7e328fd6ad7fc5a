/** The configuration as the dashboard shows it: what was set, and what the server goes by whether it was set or not. */
import { redacted } from '../base/config/sensitive-keys.ts'
import type { RestCluster } from './rest-cluster.ts'
import { taskSlots } from './task-slots.ts'

/** Values of secrets as `******`. `over`: what a job set for itself, which wins. */
export function clusterConfiguration(
  { configuration, settings, jobs }: RestCluster,
  over: readonly { readonly key: string; readonly value: string }[] = [],
): readonly { readonly key: string; readonly value: string }[] {
  const values = new Map<string, string>([
    ['parallelism.default', String(configuration.get('parallelism.default'))],
    ['rest.bind-address', settings.bindAddress],
    ['state.backend.type', configuration.get('state.backend.type')],
    ['taskmanager.numberOfTaskSlots', String(taskSlots(jobs.all()).total)],
    ['web.refresh-interval', `${settings.refreshIntervalMs} ms`],
    ...configuration.written(),
    ...over.map(({ key, value }) => [key, value] as const),
  ])
  return [...values].map(([key, value]) => ({ key, value: redacted(key, value) }))
}
