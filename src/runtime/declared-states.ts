/**
 * Which states an operator asks for when it is made: makes it once, in a context in which nothing works but declaring
 * states, and notes what was declared. It is not opened, and the reader of a source is not made.
 */
import { messageOf } from '../base/errors.ts'
import { VirtualClock } from '../base/virtual-clock.ts'
import type { ChainedOperator, JobVertex } from '../graph/job-graph.ts'
import type { Input, OperatorContext } from '../operators/operator.ts'
import { type MemoryStateBackend, memoryStateBackend } from '../state/memory/memory-state-backend.ts'
import { operatorStateStore } from '../state/operator-state.ts'
import { createTimerService } from '../state/timers.ts'
import { type DeclaredState, RecordedStates } from './recorded-states.ts'

export interface DeclaredStates {
  /** In the order in which they were asked for. */
  readonly states: readonly DeclaredState[]
  /** `made`: these are all. `open`: it may ask for more when it opens, or later. `unknown`: making it was cut short. */
  readonly extent: 'made' | 'open' | 'unknown'
  /** Why it was cut short. */
  readonly reason: string | undefined
}

/** Never throws for what the program does: then its states are not known. */
export function declaredStates(vertex: JobVertex, index: number, jobName: string): DeclaredStates {
  const operator = vertex.operators[index] as ChainedOperator
  const recorded = new RecordedStates()
  try {
    const made = operator.create(declaringContext(vertex, operator, jobName, recorded))
    return { states: recorded.all(), extent: made.open === undefined ? 'made' : 'open', reason: undefined }
  } catch (thrown) {
    // Whatever the user's code threw, or the context because something else than a state was asked of it.
    if (thrown === READER_IS_NEXT) return { states: recorded.all(), extent: 'made', reason: undefined }
    return { states: recorded.all(), extent: 'unknown', reason: messageOf(thrown) }
  }
}

/** A source has declared its splits when it asks for what a reader needs, and declares nothing more. */
const READER_IS_NEXT = new Error('the reader of a source would be made now')

/** A backend without state, for asking what a restore would answer as well. Its time stands still. */
export function emptyBackend(maxParallelism: number): MemoryStateBackend {
  return memoryStateBackend({
    maxParallelism,
    keyGroups: { first: 0, last: maxParallelism - 1 },
    clock: new VirtualClock(),
  })
}

/** Subtask 0 of a job that does not run. */
function declaringContext(
  { parallelism, maxParallelism, source, operators }: JobVertex,
  operator: ChainedOperator,
  jobName: string,
  recorded: RecordedStates,
): OperatorContext {
  const clock = new VirtualClock()
  const keyedState = operator.keyed ? recorded.keyed(emptyBackend(maxParallelism)) : undefined
  const isSource = source !== undefined && operator === operators[0]
  return {
    task: {
      jobId: '0'.repeat(32),
      jobName,
      operatorId: operator.operatorId,
      operatorName: operator.name,
      subtask: 0,
      parallelism,
      maxParallelism,
      attempt: 0,
      epoch: 0,
      restoredCheckpointId: undefined,
      checkpointing: true,
    },
    output: NO_OUTPUT,
    gate: { closed: 0 },
    counters: { recordsIn: 0, recordsOut: 0 },
    clock,
    get random(): never {
      return refuse()
    },
    get ids(): never {
      return refuse()
    },
    get files(): never {
      if (isSource) throw READER_IS_NEXT
      return refuse()
    },
    get logger(): never {
      return refuse()
    },
    operatorState: recorded.operator(operatorStateStore({ subtask: 0 })),
    keyedState,
    timerService: (target) =>
      keyedState === undefined ? refuse() : createTimerService({ backend: keyedState, clock, target, due: refuse }),
    mail: refuse,
    pause: refuse,
    resumeLater: refuse,
    fail: refuse,
    blame: (thrown) => thrown,
    sideOutput: () => NO_OUTPUT,
    sendSplitRequest: refuse,
    count: refuse,
    transactions: refuse,
  }
}

function refuse(): never {
  throw new Error('it does more than declare states when it is made')
}

const NO_OUTPUT: Input<unknown> = {
  processElement: refuse,
  processWatermark: refuse,
  processWatermarkStatus: refuse,
}
