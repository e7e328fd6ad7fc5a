/**
 * Where event time stands at each operator of a chain, found when somebody asks: most operators pass a watermark on as it
 * comes, so that what has left a chain says what came into it.
 */
import { MIN_WATERMARK } from '../../elements/stream-element.ts'
import type { ChainedOperator } from '../../graph/job-graph.ts'
import type { Input, Operator } from '../../operators/operator.ts'
import type { RecordWriter } from './record-writer.ts'

/** Where the elements of an operator go whose output nobody reads. */
export class Nowhere implements Input<unknown> {
  watermark = MIN_WATERMARK

  processElement(): void {}

  processWatermark(timestamp: number): void {
    this.watermark = timestamp
  }

  processWatermarkStatus(): void {}
}

export interface ChainParts {
  readonly chained: readonly ChainedOperator[]
  readonly operators: readonly Operator[]
  readonly writers: ReadonlyMap<number, RecordWriter>
  /** By operator; used where it has no output. */
  readonly ends: readonly Nowhere[]
}

export interface OperatorWatermarks {
  /** By input. None: a source. */
  readonly inputs: readonly number[]
  readonly output: number
}

/** From head to tail. `ofHead`: by input of the head operator, what came through its channels. */
export function chainWatermarks(parts: ChainParts, ofHead: readonly number[]): readonly OperatorWatermarks[] {
  return parts.chained.map((_, index) => ({
    inputs: index === 0 ? ofHead : [inputOf(parts, index)],
    output: outputOf(parts, index),
  }))
}

function inputOf(parts: ChainParts, index: number): number {
  return parts.operators[index]?.inputWatermark ?? outputOf(parts, index)
}

/** Time goes the same way everywhere: the first output tells of all. */
function outputOf(parts: ChainParts, index: number): number {
  const first = parts.chained[index]?.outputs[0]
  if (first === undefined) return Math.max(parts.ends[index]?.watermark ?? MIN_WATERMARK, endsHere(parts, index))
  if (first.to.type === 'operator') return inputOf(parts, first.to.index)
  return parts.writers.get(first.to.index)?.watermark ?? MIN_WATERMARK
}

/** A sink sends nothing on. */
function endsHere({ operators }: ChainParts, index: number): number {
  return operators[index]?.inputWatermark ?? MIN_WATERMARK
}
