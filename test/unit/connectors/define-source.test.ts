import { describe, expect, expectTypeOf, it } from 'vitest'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import { type DefineSourceOptions, defineSource } from '../../../src/connectors/define-source/define-source.ts'
import type { Source } from '../../../src/operators/source.ts'
import { SourceUnderTest } from '../operators/subtask-harness.ts'

const settled = () => new Promise((settle) => setImmediate(settle))

function counting(options: Partial<DefineSourceOptions<string, number>> = {}) {
  const pulled = new Map<string, number>()
  const source = defineSource<string, number>({
    boundedness: 'bounded',
    splits: () => ['a', 'b'],
    start: () => 0,
    async *read(split, position) {
      for (let next = position; next < 2_000; next++) {
        pulled.set(split, next + 1)
        yield { value: `${split}${next}`, position: next + 1 }
      }
    },
    ...options,
  })
  return { source, pulled }
}

const all = ['a', 'b'].flatMap((split) => Array.from({ length: 2_000 }, (_, index) => `${split}${index}`))

describe('defineSource', () => {
  it('infers records and positions without annotations', () => {
    const ticks = defineSource({
      boundedness: 'continuous-unbounded',
      splits: () => ['EURUSD', 'USDJPY'],
      start: () => 0,
      async *read(_split, position, _signal) {
        yield { value: { price: 1 }, position: position + 1, timestamp: 5 }
      },
    })
    expectTypeOf(ticks).toExtend<Source<{ price: number }>>()
    const unplaced = defineSource({
      boundedness: 'bounded',
      splits: () => ['a'],
      async *read(_split, position: number | undefined) {
        yield { value: 'x', position: (position ?? 0) + 1 }
      },
    })
    expectTypeOf(unplaced).toExtend<Source<string>>()
  })

  it('reads at most 1,000 records ahead and checkpoints the position of the last emitted one', async () => {
    const { source, pulled } = counting({ splits: () => ['a'] })
    const before = await new SourceUnderTest(source).open()
    await before.emit(7)
    await settled()
    expect(pulled.get('a')).toBeGreaterThan(500)
    expect(pulled.get('a')).toBeLessThanOrEqual(1_007)
    const after = await new SourceUnderTest(counting({ splits: () => ['a'] }).source, await before.snapshot()).open()
    await after.runToEnd()
    expect([...before.values, ...after.values]).toEqual(all.slice(0, 2_000))
    await before.close()
  })

  it('snapshots at once while a read is waiting', async () => {
    const source = defineSource<number, number>({
      boundedness: 'bounded',
      splits: () => ['slow'],
      start: () => 0,
      async *read() {
        yield { value: 1, position: 1 }
        await new Promise(() => {})
      },
    })
    const running = await new SourceUnderTest(source).open()
    await running.emit(1)
    expect((await running.snapshot()).restored[0]).toBeInstanceOf(Uint8Array)
  })

  it('reads each split to its end, at any parallelism and across a restart', async () => {
    const before = await new SourceUnderTest(counting().source, { parallelism: 2 }).open()
    await before.emit(1_500, 0)
    await before.emit(2, 1)
    const after = await new SourceUnderTest(counting().source, await before.snapshot()).open()
    await after.runToEnd()
    expect([...before.values, ...after.values].sort()).toEqual([...all].sort())
    await before.close()
  })

  it('does not read a finished split again', async () => {
    const before = await new SourceUnderTest(counting().source).open()
    await before.emit(2_001)
    const reads: string[] = []
    const again = counting({
      read(split, position) {
        reads.push(`${split}@${position}`)
        return (async function* () {})()
      },
    })
    const after = await new SourceUnderTest(again.source, await before.snapshot()).open()
    await after.runToEnd()
    expect(reads).toEqual(['b@1'])
    await before.close()
  })

  it('fixes a starting point when the split is found and never evaluates it again', async () => {
    let starts = 0
    const started = () =>
      counting({ start: () => 1_998 + starts++ - starts + 1, splits: () => ['a', { id: 'b', position: 1_999 }] })
    const before = await new SourceUnderTest(started().source).open()
    const state = await before.snapshot()
    expect(starts).toBe(1)
    const after = await new SourceUnderTest(started().source, state).open()
    await after.runToEnd()
    expect(starts).toBe(1)
    expect(after.values).toEqual(['a1998', 'a1999', 'b1999'])
    await before.close()
  })

  it('looks for splits again with discoverEvery, drops known ones, and only then after a restore', async () => {
    const clock = new VirtualClock()
    const found: string[][] = [['x'], ['x', 'y'], ['y', 'z']]
    let asked = 0
    const options: DefineSourceOptions<string, number> = {
      boundedness: 'continuous-unbounded',
      discoverEvery: '1 s',
      splits: () => found[Math.min(asked++, 2)] ?? [],
      start: () => 0,
      async *read(split, position, signal) {
        if (position === 0) yield { value: split, position: 1 }
        await new Promise((settle) => signal.addEventListener('abort', settle))
      },
    }
    const running = await new SourceUnderTest(defineSource(options), { clock }).open()
    for (const second of [0, 1_000, 1_000]) {
      clock.advance(second)
      await settled()
    }
    await running.emit(3)
    expect(running.values).toEqual(['x', 'y', 'z'])
    const state = await running.snapshot()
    const restored = await new SourceUnderTest(defineSource({ ...options, discoverEvery: undefined }), {
      clock,
      ...state,
    }).open()
    await settled()
    expect(asked).toBe(3)
    await restored.close()
    await running.close()
  })

  it('fails an unbounded source whose read returns, but not after the abort', async () => {
    const returning = defineSource<number, number>({
      boundedness: 'continuous-unbounded',
      splits: () => ['only'],
      start: () => 0,
      async *read(_split, position, signal) {
        if (position === 0) yield { value: 1, position: 1 }
        else await new Promise((settle) => signal.addEventListener('abort', settle))
      },
    })
    const before = await new SourceUnderTest(returning).open()
    await before.emit(1)
    const state = await before.snapshot()
    await expect(before.emit(1)).rejects.toMatchObject({
      code: 'SOURCE_ENDED',
      message: expect.stringContaining('only'),
    })
    const waiting = await new SourceUnderTest(returning, state).open()
    await waiting.close()
    expect(waiting.harness().failures).toEqual([])
  })

  it('fails with the very object that read threw, behind the records before it', async () => {
    const thrown = new TypeError('connection lost')
    const { source } = counting({
      splits: () => ['a'],
      async *read() {
        yield { value: 'first', position: 1 }
        throw thrown
      },
    })
    const running = await new SourceUnderTest(source).open()
    await expect(running.runToEnd()).rejects.toBe(thrown)
    expect(running.values).toEqual(['first'])
  })

  it('cuts off a next() that does not settle after the abort, and drops what comes late', async () => {
    const clock = new VirtualClock()
    let late: (record: IteratorResult<{ value: number; position: number }>) => void = () => {}
    const source = defineSource<number, number>({
      boundedness: 'continuous-unbounded',
      splits: () => ['deaf'],
      start: () => 0,
      read: () => ({
        [Symbol.asyncIterator]: () => ({
          next: () =>
            new Promise((settle) => {
              late = settle
            }),
        }),
      }),
    })
    const running = await new SourceUnderTest(source, { clock }).open()
    await settled()
    const closed = running.close()
    await settled()
    clock.advance(1_000)
    await closed
    late({ done: false, value: { value: 1, position: 1 } })
    await settled()
    running.operator().emitNext(10)
    expect(running.values).toEqual([])
  })

  it('lets the iterator clean up when the job ends', async () => {
    let cleaned = false
    const { source } = counting({
      splits: () => ['a'],
      async *read() {
        try {
          for (;;) yield { value: 'x', position: 1 }
        } finally {
          cleaned = true
        }
      },
    })
    const running = await new SourceUnderTest(source).open()
    await running.emit(1)
    await running.close()
    expect(cleaned).toBe(true)
  })

  it('knows none of the splits that it found together with one that it refused', async () => {
    let known = false
    const { source } = counting({
      splits: () => ['a', 'b'],
      start: (split: string) => {
        if (split === 'b' && !known) throw new Error('no start yet')
        return 0
      },
    })
    const running = await new SourceUnderTest(source).open()
    await settled()
    expect(running.failures).toEqual([new Error('no start yet')])
    const snapshot = await running.snapshot()
    known = true
    const again = await new SourceUnderTest(source, snapshot).open()
    await settled()
    expect(await again.enumerator.snapshotState(1)).toMatchObject({ known: ['a', 'b'] })
    await again.emit(1)
    expect(again.values).toHaveLength(1)
  })

  it('refuses what is no record and no split, showing it', async () => {
    const noRecord = counting({
      splits: () => ['a'],
      read: async function* () {
        yield { value: 1 }
      } as never,
    })
    await expect((await new SourceUnderTest(noRecord.source).open()).runToEnd()).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
    })
    const noSplit = counting({ splits: () => [5] as never })
    await expect((await new SourceUnderTest(noSplit.source).open()).runToEnd()).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
    })
    expect(() => counting({ discoverEvery: 5 })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})
