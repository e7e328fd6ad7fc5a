/**
 * Remembers what is told of the checkpoints of a job, as Flink's CheckpointStatsTracker: counts, the last ones with the
 * numbers of each subtask, summaries. It watches and changes nothing.
 */
import type { JobVertex } from '../graph/job-graph.ts'
import type { SubtaskCheckpointMetrics } from './checkpoint-metrics.ts'
import type {
  CheckpointStatisticsSnapshot,
  RestoredCheckpoint,
  TrackedCheckpoint,
} from './checkpoint-statistics-snapshot.ts'
import { StatsSummary } from './stats-summary.ts'
import { type SubtaskPlace, TrackedSubtasks } from './tracked-subtasks.ts'

const SUMMARISED = ['checkpointedBytes', 'stateBytes', 'endToEndMs', 'processedBytes', 'persistedBytes'] as const

type Triggered = Pick<TrackedCheckpoint, 'checkpointId' | 'kind' | 'triggeredAtMs'>

type Latest = CheckpointStatisticsSnapshot['latest']

/** What was in flight during a checkpoint. */
type InFlight = Pick<TrackedCheckpoint, 'unaligned' | 'processedBytes' | 'persistedBytes'> & {
  readonly alignmentMs: number
}

/** One that has not ended. */
interface Running {
  readonly triggered: Triggered & Pick<TrackedCheckpoint, 'savepointFormat'>
  readonly subtasks: TrackedSubtasks
}

export class CheckpointStatistics {
  readonly #vertices: readonly JobVertex[]
  readonly #most: number
  readonly #running = new Map<number, Running>()
  /** In the order of their triggers; null: it has not ended. */
  readonly #history = new Map<number, TrackedCheckpoint | null>()
  readonly #counts = { completed: 0, failed: 0, restored: 0 }
  readonly #summary = {
    checkpointedBytes: new StatsSummary(),
    stateBytes: new StatsSummary(),
    endToEndMs: new StatsSummary(),
    processedBytes: new StatsSummary(),
    persistedBytes: new StatsSummary(),
  }
  readonly #latest: { -readonly [Name in keyof Latest]: Latest[Name] } = {
    completed: null,
    savepoint: null,
    failed: null,
    restored: null,
  }

  /** `most`: how long the history is. */
  constructor(vertices: readonly JobVertex[], most: number) {
    this.#vertices = vertices
    this.#most = most
  }

  /** `finished`: subtasks that take no part, because they had finished. */
  triggered(triggered: Triggered, finished: readonly SubtaskPlace[]): void {
    const { checkpointId, kind, triggeredAtMs } = triggered
    const subtasks = new TrackedSubtasks(this.#vertices, triggeredAtMs)
    for (const place of finished) subtasks.acknowledged(place, triggeredAtMs)
    const savepointFormat = kind === 'checkpoint' ? null : 'CANONICAL'
    this.#running.set(checkpointId, { triggered: { ...triggered, savepointFormat }, subtasks })
    this.#history.set(checkpointId, null)
    const [oldest] = this.#history.keys()
    if (this.#history.size > this.#most) this.#history.delete(oldest as number)
  }

  /** Of a savepoint that is under way, where it is not canonical. */
  native(checkpointId: number): void {
    const running = this.#running.get(checkpointId)
    if (running === undefined) return
    this.#running.set(checkpointId, { ...running, triggered: { ...running.triggered, savepointFormat: 'NATIVE' } })
  }

  /** Dropped where the checkpoint has ended. */
  acknowledged(checkpointId: number, place: SubtaskPlace, ackAtMs: number, metrics: SubtaskCheckpointMetrics): void {
    this.#running.get(checkpointId)?.subtasks.acknowledged(place, ackAtMs, metrics)
  }

  completed(checkpointId: number, endedAtMs: number, path: string | null): InFlight {
    const { triggered, subtasks } = this.#end(checkpointId)
    const tracked = { ...trackedOf(triggered, subtasks), status: 'COMPLETED', endedAtMs, path } as const
    this.#counts.completed++
    for (const name of SUMMARISED) this.#summary[name].add(tracked[name] ?? 0)
    this.#latest[triggered.kind === 'checkpoint' ? 'completed' : 'savepoint'] = tracked
    this.#keep(tracked)
    const { unaligned, processedBytes, persistedBytes } = tracked
    return { unaligned, processedBytes, persistedBytes, alignmentMs: subtasks.alignmentMs() }
  }

  aborted(
    checkpointId: number,
    endedAtMs: number,
    failure: { readonly reason: string; readonly message: string },
  ): void {
    const { triggered, subtasks } = this.#end(checkpointId)
    const endToEndMs = Math.max(0, endedAtMs - triggered.triggeredAtMs)
    const tracked = {
      ...trackedOf(triggered, subtasks),
      ...({ status: 'FAILED', endedAtMs, endToEndMs, failure } as const),
    }
    this.#counts.failed++
    this.#latest.failed = tracked
    this.#keep(tracked)
  }

  /** A completed one was deleted. */
  discarded(checkpointId: number): void {
    const discard = (one: TrackedCheckpoint | null) =>
      one?.checkpointId === checkpointId ? { ...one, discarded: true } : one
    this.#latest.completed = discard(this.#latest.completed)
    const kept = this.#history.get(checkpointId)
    if (kept !== undefined) this.#history.set(checkpointId, discard(kept))
  }

  restored(restored: RestoredCheckpoint): void {
    this.#counts.restored++
    this.#latest.restored = restored
  }

  snapshot(): CheckpointStatisticsSnapshot {
    const { completed, failed, restored } = this.#counts
    const inProgress = this.#running.size
    const { checkpointedBytes, stateBytes, endToEndMs, processedBytes, persistedBytes } = this.#summary
    return {
      counts: { total: inProgress + completed + failed, inProgress, completed, failed, restored },
      summary: {
        checkpointedBytes: checkpointedBytes.snapshot(),
        stateBytes: stateBytes.snapshot(),
        endToEndMs: endToEndMs.snapshot(),
        processedBytes: processedBytes.snapshot(),
        persistedBytes: persistedBytes.snapshot(),
      },
      latest: { ...this.#latest },
      history: [...this.#history].map(([id, ended]) => ended ?? this.#inProgress(id)).reverse(),
    }
  }

  #end(checkpointId: number): Running {
    const running = this.#running.get(checkpointId) as Running
    this.#running.delete(checkpointId)
    return running
  }

  /** The history may have let go of it already. */
  #keep(tracked: TrackedCheckpoint): void {
    if (this.#history.has(tracked.checkpointId)) this.#history.set(tracked.checkpointId, tracked)
  }

  #inProgress(checkpointId: number): TrackedCheckpoint {
    const { triggered, subtasks } = this.#running.get(checkpointId) as Running
    return trackedOf(triggered, subtasks)
  }
}

/** As one in progress. */
function trackedOf(triggered: Running['triggered'], subtasks: TrackedSubtasks): TrackedCheckpoint {
  return {
    ...triggered,
    status: 'IN_PROGRESS',
    unaligned: subtasks.isUnaligned(),
    endedAtMs: null,
    failure: null,
    path: null,
    discarded: false,
    ...subtasks.totals(),
    vertices: subtasks.vertices(),
  }
}
