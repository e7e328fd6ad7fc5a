/** What is measured of each operator of a chain, when somebody asks. */
import { MAX_WATERMARK, MIN_WATERMARK } from '../elements/stream-element.ts'
import type { ChainedOperator } from '../graph/job-graph.ts'
import type { OperatorChain } from './data/operator-chain.ts'
import type { Subtask } from './data/subtask.ts'
import { operatorCounts } from './operator-counts.ts'
import type { OperatorRuntime } from './operator-runtime.ts'
import type { TaskFlow } from './task-flow.ts'
import type { OperatorMeasurements } from './task-measurements.ts'

/** What there is of the task; what is undefined has not been made. */
export interface MeasuredChain {
  readonly runtimes: readonly OperatorRuntime[]
  readonly chain: OperatorChain | undefined
  readonly subtask: Subtask | undefined
  readonly flow: TaskFlow | undefined
}

/** From head to tail. */
export function operatorMeasurements(
  operators: readonly ChainedOperator[],
  { runtimes, chain, subtask, flow }: MeasuredChain,
): readonly OperatorMeasurements[] {
  const read = flow === undefined ? 0 : flow.recordsRead()
  const counts = operatorCounts(operators, {
    fromChannels: read === null ? null : read + (subtask?.restoredProcessed ?? 0),
    counted: operators.map((_, index) => runtimes[index]?.counters ?? { recordsIn: 0, recordsOut: 0 }),
    intoEdge: (edge) => flow?.intoEdge(edge) ?? 0,
  })
  const watermarks = chain?.watermarks(subtask?.inputWatermarks ?? [])
  return operators.map(({ operatorId, name }, index) => ({
    operatorId,
    name,
    numRecordsIn: counts[index]?.recordsIn ?? null,
    numRecordsOut: counts[index]?.recordsOut ?? null,
    currentInputWatermarks: watermarks?.[index]?.inputs ?? [],
    currentOutputWatermark: watermarks?.[index]?.output ?? MIN_WATERMARK,
    counts: runtimes[index]?.counts ?? {},
    stateCache: runtimes[index]?.keyedState?.cacheUse?.() ?? null,
  }))
}

/** Of the inputs of the head together; of a source what it emitted. */
export function inputWatermark(head: OperatorMeasurements | undefined): number {
  if (head === undefined) return MIN_WATERMARK
  const { currentInputWatermarks, currentOutputWatermark } = head
  return currentInputWatermarks.length === 0
    ? currentOutputWatermark
    : currentInputWatermarks.reduce((least, one) => Math.min(least, one), MAX_WATERMARK)
}
