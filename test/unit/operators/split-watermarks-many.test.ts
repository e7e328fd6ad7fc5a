import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SplitWatermarks } from '../../../src/operators/split-watermarks.ts'
import type { WatermarkOutput } from '../../../src/operators/watermark-strategy.ts'

type Seen = number | 'idle' | 'active'

/** What is meant, looked up anew at every step: minimum of the active splits, else maximum of all. */
class Plain {
  readonly seen: Seen[] = []
  readonly #splits = new Map<string, { watermark: number; idle: boolean }>()
  #emitted = Number.NEGATIVE_INFINITY
  #main: 'unused' | 'silent' | 'active' | 'idle' = 'unused'
  #used = false
  #idle = false

  readonly main: WatermarkOutput = {
    emitWatermark: (timestamp) => {
      this.#mainIs('active')
      this.#emit(timestamp)
    },
    markIdle: () => this.#mainIs('idle'),
    markActive: () => this.#mainIs('active'),
  }

  silent(): void {
    if (this.#main === 'unused') this.#mainIs('silent')
  }

  add(id: string): WatermarkOutput {
    const split = { watermark: Number.NEGATIVE_INFINITY, idle: false }
    this.#splits.set(id, split)
    this.#look()
    const become = (watermark: number, idle: boolean) => {
      if (watermark === split.watermark && idle === split.idle) return
      Object.assign(split, { watermark, idle })
      this.#used = true
      this.#look()
    }
    return {
      emitWatermark: (timestamp) => become(Math.max(timestamp, split.watermark), false),
      markIdle: () => become(split.watermark, true),
      markActive: () => become(split.watermark, false),
    }
  }

  remove(id: string): void {
    if (this.#splits.delete(id)) this.#look()
  }

  #mainIs(status: 'silent' | 'active' | 'idle'): void {
    if (this.#main === status) return
    this.#main = status
    this.#show()
  }

  #look(): void {
    const all = [...this.#splits.values()]
    const active = all.filter(({ idle }) => !idle)
    if (all.length === 0) return
    if (active.length > 0) this.#show()
    const watermarks = (active.length > 0 ? active : all).map(({ watermark }) => watermark)
    this.#emit(active.length > 0 ? Math.min(...watermarks) : Math.max(...watermarks))
    if (active.length === 0) this.#show()
  }

  #show(): void {
    const idle = this.#isIdle()
    if (idle !== this.#idle) this.seen.push(idle ? 'idle' : 'active')
    this.#idle = idle
  }

  #isIdle(): boolean {
    if (this.#main === 'active') return false
    if (this.#splits.size === 0) return this.#main === 'unused' ? this.#idle : true
    if (this.#main === 'idle' && !this.#used) return true
    return [...this.#splits.values()].every(({ idle }) => idle)
  }

  #emit(watermark: number): void {
    if (watermark <= this.#emitted) return
    this.#emitted = watermark
    this.seen.push(watermark)
  }
}

function combiner() {
  const seen: Seen[] = []
  const watermarks = new SplitWatermarks({
    processWatermark: (timestamp) => void seen.push(timestamp),
    processWatermarkStatus: (idle) => void seen.push(idle ? 'idle' : 'active'),
  })
  return { watermarks, seen }
}

const id = fc.integer({ min: 0, max: 15 }).map(String)
/** Of all outputs that there ever were: also those of removed and of replaced splits. */
const output = fc.nat(60)
const step = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(fc.constant('add' as const), id) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('remove' as const), id) },
  { weight: 8, arbitrary: fc.tuple(fc.constant('emit' as const), output, fc.integer({ min: 0, max: 40 })) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('markIdle' as const), output) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('markActive' as const), output) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('main' as const), fc.integer({ min: 0, max: 40 })) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('mainIdle' as const, 'mainActive' as const, 'silent' as const)) },
)

describe('Watermarks of splits', () => {
  test('are those of the simple minimum, whatever happens to the splits', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const { watermarks, seen } = combiner()
        const plain = new Plain()
        const outputs: (readonly [WatermarkOutput, WatermarkOutput])[] = []
        const both = (place: number, act: (output: WatermarkOutput) => void) => {
          const pair = outputs[place % Math.max(1, outputs.length)]
          if (pair !== undefined) for (const each of pair) act(each)
        }
        const mains = (act: (output: WatermarkOutput) => void) => {
          for (const each of [watermarks.main, plain.main]) act(each)
        }
        for (const [what, at, value] of steps) {
          if (what === 'add') outputs.push([watermarks.add(at), plain.add(at)])
          else if (what === 'remove') for (const each of [watermarks, plain]) each.remove(at)
          else if (what === 'emit') both(at, (each) => each.emitWatermark(value))
          else if (what === 'markIdle' || what === 'markActive') both(at, (each) => each[what]())
          else if (what === 'main') mains((each) => each.emitWatermark(at))
          else if (what === 'silent') for (const each of [watermarks, plain]) each.silent()
          else mains((each) => (what === 'mainIdle' ? each.markIdle() : each.markActive()))
          expect(seen).toEqual(plain.seen)
        }
      }),
      { numRuns: 2000, seed: 7 },
    )
  })

  test('cost no look at all the others: 350,000 changes among 50,000 splits are quick', {
    timeout: 10_000,
  }, () => {
    const { watermarks, seen } = combiner()
    const outputs = Array.from({ length: 50_000 }, (_, index) => watermarks.add(String(index)))
    for (let round = 1; round <= 3; round++) for (const each of outputs) each.emitWatermark(round)
    for (const each of outputs) each.markIdle()
    for (const each of outputs) each.emitWatermark(4)
    for (const index of outputs.keys()) watermarks.remove(String(index))
    expect(seen).toEqual([1, 2, 3, 'idle', 'active', 4])
  })
})
