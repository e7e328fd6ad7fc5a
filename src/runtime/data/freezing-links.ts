/** What an operator writes into under `execution.debug-freeze`: every record that it emits is frozen on its way. */
import { deepFreeze } from '../../elements/deep-freeze.ts'
import type { Input } from '../../operators/operator.ts'
import type { ChainLinks } from './operator-chain.ts'

/** Decided when the chain is made: without the option none of this stands in it. */
export function freezingLinks(links: ChainLinks): ChainLinks {
  const sides = new Map<string, Input<unknown> | undefined>()
  return {
    output: new FreezingInput(links.output),
    sideOutput(id) {
      if (!sides.has(id)) {
        const side = links.sideOutput(id)
        sides.set(id, side && new FreezingInput(side))
      }
      return sides.get(id)
    },
  }
}

class FreezingInput implements Input<unknown> {
  readonly #target: Input<unknown>

  constructor(target: Input<unknown>) {
    this.#target = target
  }

  processElement(value: unknown, timestamp: number): void {
    this.#target.processElement(deepFreeze(value), timestamp)
  }

  processWatermark(timestamp: number): void {
    this.#target.processWatermark(timestamp)
  }

  processWatermarkStatus(idle: boolean): void {
    this.#target.processWatermarkStatus(idle)
  }
}
