/** The list of all charts, by name: what pictures, the tap's page and the coverage of walks read. */
import type { AnyStateMachine } from 'xstate'
import { atLeastOnceAlignment } from './at-least-once-alignment.ts'
import { barrierAlignment } from './barrier-alignment.ts'
import { checkpointCoordinator } from './checkpoint-coordinator.ts'
import { job } from './job.ts'
import { operator } from './operator.ts'
import { pendingCheckpoint } from './pending-checkpoint.ts'
import { restartSupervisor } from './restart-supervisor.ts'
import { stopWithSavepoint } from './stop-with-savepoint.ts'
import { subtaskCheckpoint } from './subtask-checkpoint.ts'
import { task } from './task.ts'
import { twoPhaseCommit } from './two-phase-commit.ts'
import { unalignedAlignment } from './unaligned-alignment.ts'

export type ChartName =
  | 'job'
  | 'restartSupervisor'
  | 'stopWithSavepoint'
  | 'task'
  | 'operator'
  | 'barrierAlignment'
  | 'unalignedAlignment'
  | 'atLeastOnceAlignment'
  | 'subtaskCheckpoint'
  | 'checkpointCoordinator'
  | 'pendingCheckpoint'
  | 'twoPhaseCommit'

/** Typed as plain machines: the types that are inferred for each are too large to declare. */
export const charts: Readonly<Record<ChartName, AnyStateMachine>> = {
  job,
  restartSupervisor,
  stopWithSavepoint,
  task,
  operator,
  barrierAlignment,
  unalignedAlignment,
  atLeastOnceAlignment,
  subtaskCheckpoint,
  checkpointCoordinator,
  pendingCheckpoint,
  twoPhaseCommit,
}
