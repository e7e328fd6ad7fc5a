/**
 * What all subtasks of a thread share: ports, settings, the turn loop, the way to and from checkpoint storage; and what one
 * of them is made of. Types only.
 */
import type { Ports } from '../base/ports.ts'
import type { JobGraph, JobVertex } from '../graph/job-graph.ts'
import type { SnapshotReader, SnapshotWriter, StateHandle } from '../state/snapshot.ts'
import type { Causes } from './control/causes.ts'
import type { ChartTap } from './control/host-chart.ts'
import type { TurnLoop } from './data/turn-loop.ts'
import type { KeyedStateBackends, LeveldbSettings } from './keyed-state-backends.ts'
import type { TaskFact } from './link.ts'
import type { TaskRestore } from './restore-assignment.ts'

export interface TaskEnvironment {
  readonly jobId: string
  readonly jobName: string
  readonly epoch: number
  readonly ports: Ports
  readonly settings: TaskSettings
  readonly turnLoop: TurnLoop
  readonly keyedStateBackends: KeyedStateBackends
  readonly snapshotWriter: SnapshotWriter
  /** The files of the checkpoint at this place. */
  snapshotReader(location: string): SnapshotReader
  /** Deletes state files that nobody will ask for. Best effort. */
  discard(handles: readonly StateHandle[]): void
  readonly causes: Causes
  readonly tap: ChartTap | undefined
}

export interface UnalignedSettings {
  /** How long a checkpoint may try to be aligned, from its trigger at the coordinator. 0: not at all. */
  readonly alignedTimeoutMs: number
  /** Of the records in flight that one subtask stores with a checkpoint. */
  readonly maxInFlightBytes: number
}

export interface TaskSettings {
  /** Keyed state lives on disk; left out: on the heap. */
  readonly leveldb?: LeveldbSettings | undefined
  readonly checkpointing: boolean
  readonly checkpointingMode: 'EXACTLY_ONCE' | 'AT_LEAST_ONCE'
  readonly checkpointsAfterTasksFinish: boolean
  /** Barriers may overtake records; left out: they never do. */
  readonly unaligned?: UnalignedSettings | undefined
  /** False: what throws while a snapshot is prepared or taken only declines the checkpoint. */
  readonly failTasksOnCheckpointingErrors: boolean
  readonly cancellationTimeoutMs: number
  readonly committerRetries: number
  readonly commitTimeoutMs: number
  /** Records that a channel holds before its sender must wait. */
  readonly channelCredit: number
  /** Records and values of state are frozen, and records in exchanges serialised: `execution.debug-freeze`. */
  readonly debugFreeze?: boolean | undefined
  /** A step that holds the event loop longer is warned of; 0 or left out: none is. */
  readonly blockedLoopWarningMs?: number | undefined
}

/** What makes one subtask of one attempt. */
export interface StreamTaskOptions {
  readonly task: number
  readonly attempt: number
  readonly graph: JobGraph
  readonly vertexIndex: number
  readonly vertex: JobVertex
  readonly subtask: number
  /** `Source: lines (1/4)` */
  readonly name: string
  readonly restore: TaskRestore
  readonly restoredCheckpointId: number | undefined
  /** Where the files of that checkpoint lie. */
  readonly location: string | undefined
  /** Whether they are the job's own: later checkpoints may refer to them. */
  readonly mayReuse?: boolean | undefined
  /** The input had ended before: a source reads nothing. */
  readonly drained?: boolean | undefined
  readonly environment: TaskEnvironment
  tell(fact: TaskFact): void
}
