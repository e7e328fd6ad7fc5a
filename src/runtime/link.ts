/**
 * The one link between the job's side (coordinator, restarts, enumerators) and the tasks' side (operators, alignment).
 * Only plain JSON crosses it, so that the tasks' side may live in another thread.
 */
import type { Turns } from '../base/turns.ts'
import type { Json } from '../elements/json.ts'
import type { CheckpointBarrier } from '../elements/stream-element.ts'
import type { SubtaskCheckpointMetrics } from './checkpoint-metrics.ts'
import type { Cause } from './control/causes.ts'
import type { TaskStatus } from './job-handle.ts'
import type { TaskRestore } from './restore-assignment.ts'
import type { SourceEvent } from './source-coordinator.ts'

/** One subtask in one attempt. `task` is its place in the job's list of tasks. */
export interface TaskAddress {
  readonly task: number
  readonly attempt: number
}

/** From the job to the tasks. */
export type TaskOrder =
  | {
      readonly type: 'deployTasks'
      readonly attempt: number
      readonly checkpointId: number | null
      /** Where the files of that checkpoint lie. */
      readonly location: string | null
      /** Whether they are the job's own: later checkpoints may refer to them. */
      readonly mayReuse: boolean
      /** The job had come to its end: sources read nothing, and what is not committed yet is. */
      readonly drained: boolean
      /** The tasks to deploy; those that are not named run on, in their own attempts. */
      readonly restores: readonly TaskRestore[]
    }
  | ({ readonly type: 'cancelTask' } & TaskAddress)
  | ({
      readonly type: 'triggerCheckpoint'
      readonly barrier: CheckpointBarrier
      /** Of the savepoint that ends the job: whether sources end as at the end of their input. */
      readonly drain: boolean
    } & TaskAddress)
  | ({ readonly type: 'notifyCheckpointComplete'; readonly checkpointId: number } & TaskAddress)
  | ({ readonly type: 'notifyCheckpointAborted'; readonly checkpointId: number } & TaskAddress)
  | ({ readonly type: 'sendSourceEvent'; readonly event: SourceEvent } & TaskAddress)

/** From the tasks to the job. */
export type TaskFact =
  | ({
      readonly type: 'task.changed'
      readonly state: TaskStatus
      readonly cause: Cause | null
    } & TaskAddress)
  | ({
      readonly type: 'checkpoint.acknowledged'
      readonly checkpointId: number
      readonly handles: Json
      readonly metrics: SubtaskCheckpointMetrics
    } & TaskAddress)
  | ({
      readonly type: 'checkpoint.declined'
      readonly checkpointId: number
      readonly reason: string
      readonly message: string
      /** What was thrown; null: nothing was. */
      readonly cause: Cause | null
    } & TaskAddress)
  | ({ readonly type: 'reader.registered' } & TaskAddress)
  | ({ readonly type: 'split.requested' } & TaskAddress)
  /** Its operators are finished: only the final checkpoint is missing. */
  | ({ readonly type: 'finalCheckpoint.awaited' } & TaskAddress)
  | { readonly type: 'records.counted'; readonly name: string; readonly added: number }
  /** The tasks' side itself is broken. */
  | { readonly type: 'executor.failed'; readonly attempt: number; readonly cause: Cause }

/** How messages cross. Both directions keep their order. */
export type Crossing = (deliver: () => void) => void

export interface Link {
  toTasks(order: TaskOrder): void
  toJob(fact: TaskFact): void
  /** Whoever receives; once, before the first message. */
  connect(ends: { obey(order: TaskOrder): void; learn(fact: TaskFact): void }): void
}

/** Within one thread: a call. */
export function directLink(): Link {
  return linkThrough(
    (message) => message,
    (deliver) => deliver(),
  )
}

/** As between threads: everything is cloned and arrives a turn later. */
export function clonedLink(turns: Turns): Link {
  return linkThrough(
    (message) => structuredClone(message),
    (deliver) => turns.next(deliver),
  )
}

function linkThrough(copy: <M>(message: M) => M, cross: Crossing): Link {
  let ends: { obey(order: TaskOrder): void; learn(fact: TaskFact): void } | undefined
  return {
    toTasks(order) {
      const copied = copy(order)
      cross(() => ends?.obey(copied))
    },
    toJob(fact) {
      const copied = copy(fact)
      cross(() => ends?.learn(copied))
    },
    connect(given) {
      ends = given
    },
  }
}
