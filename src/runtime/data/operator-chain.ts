/**
 * The operators of one subtask, connected by plain calls: each writes into the next, the last into the channels. Knows
 * the order in which a chain is made, prepared and closed; nothing of checkpoints or states.
 */
import type { ControlElement } from '../../elements/stream-element.ts'
import type { ChainedOperator, JobVertex } from '../../graph/job-graph.ts'
import type { Input, Operator, SourceOperator } from '../../operators/operator.ts'
import { chainWatermarks, Nowhere, type OperatorWatermarks } from './chain-watermarks.ts'
import type { RecordWriter } from './record-writer.ts'

export interface ChainLinks {
  readonly output: Input<unknown>
  sideOutput(id: string): Input<unknown> | undefined
}

export interface OperatorChain {
  /** From head to tail. */
  readonly operators: readonly Operator[]
  readonly head: Operator
  readonly source: SourceOperator | undefined
  readonly writers: readonly RecordWriter[]
  /** What the head writes into. */
  readonly headOutput: Input<unknown>
  writeControl(element: ControlElement): void
  /** By operator. `ofHead`: what came through the channels, by input of the head. */
  watermarks(ofHead: readonly number[]): readonly OperatorWatermarks[]
}

/** Makes the operators from tail to head, since each needs what it writes into. */
export function operatorChain(
  vertex: JobVertex,
  writers: ReadonlyMap<number, RecordWriter>,
  make: (operator: ChainedOperator, index: number, links: ChainLinks) => Operator,
): OperatorChain {
  const operators: Operator[] = new Array(vertex.operators.length)
  const ends = vertex.operators.map(() => new Nowhere())
  let headOutput: Input<unknown> = ends[0] as Nowhere
  for (let index = vertex.operators.length - 1; index >= 0; index--) {
    const operator = vertex.operators[index] as ChainedOperator
    const links = linksOf(operator, operators, writers, ends[index] as Nowhere)
    operators[index] = make(operator, index, links)
    headOutput = links.output
  }
  const head = operators[0] as Operator
  const all = [...writers.values()]
  return {
    operators,
    head,
    source: vertex.source === undefined ? undefined : (head as SourceOperator),
    writers: all,
    headOutput,
    writeControl: (element) => {
      for (const writer of all) writer.writeControl(element)
    },
    watermarks: (ofHead) => chainWatermarks({ chained: vertex.operators, operators, writers, ends }, ofHead),
  }
}

function linksOf(
  operator: ChainedOperator,
  operators: readonly Operator[],
  writers: ReadonlyMap<number, RecordWriter>,
  nowhere: Input<unknown>,
): ChainLinks {
  const targets = (sideOutput: string | undefined) =>
    operator.outputs
      .filter((output) => output.sideOutput === sideOutput)
      .map(({ to }) =>
        to.type === 'edge'
          ? (writers.get(to.index) as Input<unknown>)
          : (operators[to.index]?.inputs[to.input] as Input<unknown>),
      )
  const main = together(targets(undefined), nowhere)
  const ids = [...new Set(operator.outputs.map(({ sideOutput }) => sideOutput))].filter((id) => id !== undefined)
  // Asked per record that goes to the side: put together once.
  const sides = new Map(ids.map((id) => [id, together(targets(id), nowhere)]))
  return {
    output: sides.size === 0 ? main : new WithSides(main, [...sides.values()]),
    sideOutput: (id) => sides.get(id),
  }
}

function together(inputs: readonly Input<unknown>[], nowhere: Input<unknown>): Input<unknown> {
  if (inputs.length === 0) return nowhere
  return inputs.length === 1 ? (inputs[0] as Input<unknown>) : new FanOut(inputs)
}

/** Records go to the main output alone, time goes everywhere. */
class WithSides implements Input<unknown> {
  readonly #main: Input<unknown>
  readonly #sides: readonly Input<unknown>[]

  constructor(main: Input<unknown>, sides: readonly Input<unknown>[]) {
    this.#main = main
    this.#sides = sides
  }

  processElement(value: unknown, timestamp: number): void {
    this.#main.processElement(value, timestamp)
  }

  processWatermark(timestamp: number): void {
    this.#main.processWatermark(timestamp)
    for (const side of this.#sides) side.processWatermark(timestamp)
  }

  processWatermarkStatus(idle: boolean): void {
    this.#main.processWatermarkStatus(idle)
    for (const side of this.#sides) side.processWatermarkStatus(idle)
  }
}

class FanOut implements Input<unknown> {
  readonly #inputs: readonly Input<unknown>[]

  constructor(inputs: readonly Input<unknown>[]) {
    this.#inputs = inputs
  }

  processElement(value: unknown, timestamp: number): void {
    for (let index = 0; index < this.#inputs.length; index++)
      (this.#inputs[index] as Input<unknown>).processElement(value, timestamp)
  }

  processWatermark(timestamp: number): void {
    for (const input of this.#inputs) input.processWatermark(timestamp)
  }

  processWatermarkStatus(idle: boolean): void {
    for (const input of this.#inputs) input.processWatermarkStatus(idle)
  }
}

/** Calls one after the other; a promise only where one of them waits. */
export function inOrder(calls: readonly (() => void | Promise<void>)[]): void | Promise<void> {
  for (let index = 0; index < calls.length; index++) {
    const waiting = (calls[index] as () => void | Promise<void>)()
    if (waiting instanceof Promise) return waiting.then(() => inOrder(calls.slice(index + 1)))
  }
}
