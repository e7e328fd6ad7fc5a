/**
 * Brings one subtask to where its checkpoint has it: the states of its operators, its chain, and the records that were in
 * flight to it.
 */
import type { ChainedOperator } from '../graph/job-graph.ts'
import { type OperatorChain, operatorChain } from './data/operator-chain.ts'
import type { RecordWriter } from './data/record-writer.ts'
import type { RestoredRecords } from './data/restored-input.ts'
import { type OperatorHooks, OperatorRuntime } from './operator-runtime.ts'
import { restoredRecords } from './restored-records.ts'
import type { StreamTaskOptions } from './task-environment.ts'

export class SubtaskRestore {
  /** From head to tail. To be closed, whatever becomes of the restore. */
  readonly runtimes: readonly OperatorRuntime[]
  readonly #options: StreamTaskOptions

  constructor(options: StreamTaskOptions, hooks: (operator: ChainedOperator) => OperatorHooks) {
    this.#options = options
    this.runtimes = options.vertex.operators.map(
      (operator, index) => new OperatorRuntime(options, operator, index, hooks(operator)),
    )
  }

  /** Reads, verifies and takes in. Gives the records that were in flight, in the order in which they are to be processed. */
  async read(): Promise<RestoredRecords[]> {
    const [inFlight] = await Promise.all([
      this.#readInFlight(),
      ...this.runtimes.map(async (runtime) => runtime.restore()),
    ])
    return inFlight
  }

  /** To be called when everything is read. */
  makeChain(writers: ReadonlyMap<number, RecordWriter>): OperatorChain {
    return operatorChain(this.#options.vertex, writers, (_, index, links) =>
      (this.runtimes[index] as OperatorRuntime).make(links),
    )
  }

  async #readInFlight(): Promise<RestoredRecords[]> {
    const { graph, vertexIndex: vertex, subtask, restore, location, environment } = this.#options
    const { channels } = restore
    if (channels === undefined || location === undefined) return []
    return restoredRecords({ graph, vertex, subtask }, channels, environment.snapshotReader(location))
  }
}

/** Whether all operators of the subtask had finished. */
export function hadFinished({ restore: { operators } }: StreamTaskOptions): boolean {
  return operators.length > 0 && operators.every(({ finished }) => finished)
}
