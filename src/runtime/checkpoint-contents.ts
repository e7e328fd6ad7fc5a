/** Makes the metadata of a checkpoint from what tasks and enumerators acknowledged. Pure. */
import type { CheckpointMetadata, OperatorMetadata, SubtaskMetadata } from '../checkpoint/checkpoint-metadata.ts'
import type { CheckpointKind } from '../elements/stream-element.ts'
import type { JobGraph, JobVertex } from '../graph/job-graph.ts'
import type { OperatorSubtaskState, StateHandle } from '../state/snapshot.ts'
import { tasksOf } from './restore-assignment.ts'

export interface CheckpointParts {
  readonly checkpointId: number
  readonly kind: CheckpointKind
  readonly timestamp: number
  /** By task; undefined where the task had finished before. */
  readonly acknowledged: ReadonlyMap<number, readonly OperatorSubtaskState[]>
  /** By operator id. */
  readonly coordinators: ReadonlyMap<string, StateHandle>
}

export function checkpointContents(
  job: { readonly jobId: string; readonly jobName: string; readonly epoch: number },
  graph: JobGraph,
  parts: CheckpointParts,
): CheckpointMetadata {
  const tasks = tasksOf(graph)
  return {
    ...job,
    checkpointId: parts.checkpointId,
    kind: parts.kind,
    timestamp: parts.timestamp,
    operators: graph.vertices.flatMap((vertex, vertexIndex) =>
      vertex.operators.map((operator): OperatorMetadata => {
        const subtasks = tasks.flatMap(({ vertex: owner, subtask }, task): SubtaskMetadata[] =>
          owner === vertexIndex ? [subtaskOf(subtask, operator.operatorId, parts.acknowledged.get(task))] : [],
        )
        return { ...described(vertex, operator), ...coordinatorOf(parts, operator.operatorId), subtasks }
      }),
    ),
  }
}

function described(
  { parallelism, maxParallelism }: JobVertex,
  { operatorId, uid, name }: JobVertex['operators'][number],
) {
  return { operatorId, ...(uid === undefined ? {} : { uid }), name, parallelism, maxParallelism }
}

function coordinatorOf({ coordinators }: CheckpointParts, operatorId: string): { readonly coordinator?: StateHandle } {
  const coordinator = coordinators.get(operatorId)
  return coordinator === undefined ? {} : { coordinator }
}

function subtaskOf(
  index: number,
  operatorId: string,
  states: readonly OperatorSubtaskState[] | undefined,
): SubtaskMetadata {
  if (states === undefined) return { index, finished: true }
  const state = states.find((one) => one.operatorId === operatorId)
  const { keyed, operator, channels } = state ?? {}
  return {
    index,
    finished: false,
    ...(keyed === undefined ? {} : { keyed }),
    ...(operator === undefined ? {} : { operator }),
    ...(channels === undefined ? {} : { channels }),
  }
}
