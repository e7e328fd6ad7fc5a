/**
 * Who takes part in a checkpoint: a pure function of the states of the tasks and the edges between their vertices.
 * Tasks that have finished take no part; those behind them start the barriers.
 */
import type { TaskAttempt } from '#machines/checkpoint-coordinator-vocabulary'
import type { CheckpointPlan } from './checkpoint-work.ts'

export interface PlanVertex {
  /** By subtask index. */
  readonly tasks: readonly PlanTask[]
}

export interface PlanTask extends TaskAttempt {
  /** Flink's ExecutionState. */
  readonly state: string
}

export interface PlanEdge {
  /** Indexes of vertices. */
  readonly from: number
  readonly to: number
  /** `pointwise`: a subtask reads few subtasks of the other side (forward, rescale); else all of them. */
  readonly pattern: 'allToAll' | 'pointwise'
}

export interface PlanGraph {
  readonly vertices: readonly PlanVertex[]
  readonly edges: readonly PlanEdge[]
  /** False: a task that has finished refuses every checkpoint. */
  readonly checkpointsAfterTasksFinish: boolean
}

/** Every task that has not finished must be RUNNING, else `notRunning` says which is not, and nothing may be triggered. */
export function planCheckpoint({ vertices, edges, checkpointsAfterTasksFinish }: PlanGraph): CheckpointPlan {
  const tasks = vertices.flatMap((vertex) => vertex.tasks)
  const isFinished = (task: PlanTask) => task.state === 'FINISHED'
  const running = tasks.filter((task) => task.state === 'RUNNING').map(attemptOf)
  const trigger = vertices.flatMap((vertex, index) => {
    const inputs = edges.filter((edge) => edge.to === index)
    return vertex.tasks
      .filter(
        (task, subtask) =>
          task.state === 'RUNNING' && inputs.every((edge) => upstream(vertices, edge, subtask).every(isFinished)),
      )
      .map(attemptOf)
  })
  return {
    trigger,
    waitFor: running,
    commitTo: running,
    finished: tasks.filter(isFinished).map(({ task }) => task),
    notRunning: tasks
      .filter((task) => task.state !== 'RUNNING' && !(checkpointsAfterTasksFinish && isFinished(task)))
      .map(({ task }) => task),
  }
}

const attemptOf = ({ task, attempt }: TaskAttempt): TaskAttempt => ({ task, attempt })

/** The tasks that one subtask of `edge.to` reads from; contiguous and even for pointwise, as Flink deals them. */
function upstream(vertices: readonly PlanVertex[], edge: PlanEdge, subtask: number): readonly PlanTask[] {
  const sources = vertices[edge.from]?.tasks ?? []
  if (edge.pattern === 'allToAll') return sources
  const targets = vertices[edge.to]?.tasks.length ?? 1
  const first = Math.floor((subtask * sources.length) / targets)
  const end = Math.floor(((subtask + 1) * sources.length) / targets)
  return sources.slice(first, Math.max(end, first + 1))
}
