/** The checkpoints of a job together, and how it is set to take them. */
import type { ExecutionGraphSnapshot } from '../../runtime/job-handle.ts'
import { checkpointStatistics } from '../checkpoint-shapes.ts'
import { LONG_MAX } from '../json-text.ts'
import { servedJob } from '../path-parameters.ts'
import { ok, type Route } from '../route.ts'

const STATE_BACKENDS = { hashmap: 'HashMapStateBackend', leveldb: 'LevelDBStateBackend' } as const

/** GET /jobs/:jobid/checkpoints and /jobs/:jobid/checkpoints/config. */
export const checkpointsRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/jobs/:jobid/checkpoints',
    handle: (request, cluster) => ok(checkpointStatistics(servedJob(request, cluster).checkpoints())),
  },
  {
    method: 'GET',
    path: '/jobs/:jobid/checkpoints/config',
    handle: (request, cluster) => ok(checkpointConfig(servedJob(request, cluster).executionGraph())),
  },
]

function checkpointConfig({ configuration }: ExecutionGraphSnapshot) {
  const { checkpointing, stateBackend, checkpointDirectory } = configuration
  const { retention } = checkpointing
  return {
    mode: checkpointing.mode.toLowerCase(),
    interval: checkpointing.intervalMs ?? LONG_MAX,
    timeout: checkpointing.timeoutMs,
    min_pause: checkpointing.minPauseMs,
    max_concurrent: checkpointing.maxConcurrent,
    externalization: {
      enabled: retention !== 'NO_EXTERNALIZED_CHECKPOINTS',
      delete_on_cancellation: retention !== 'RETAIN_ON_CANCELLATION',
    },
    state_backend: STATE_BACKENDS[stateBackend],
    checkpoint_storage: checkpointDirectory === null ? 'JobManagerCheckpointStorage' : 'FileSystemCheckpointStorage',
    unaligned_checkpoints: checkpointing.unaligned,
    tolerable_failed_checkpoints: checkpointing.tolerableFailures,
    aligned_checkpoint_timeout: checkpointing.alignedTimeoutMs,
    checkpoints_after_tasks_finish: checkpointing.checkpointsAfterTasksFinish,
    // There is no changelog; these are what Flink says then.
    state_changelog_enabled: false,
    changelog_periodic_materialization_interval: 600_000,
    changelog_storage: 'memory',
  }
}
