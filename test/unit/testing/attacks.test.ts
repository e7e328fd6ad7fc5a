/** Attacks on the tools for tests: times that are none, sinks with everything that a sink may have, snapshots that are not what they say. */
import { describe, expect, test } from 'vitest'
import {
  CollectSink,
  FileSink,
  MapStateDescriptor,
  RestartStrategies,
  type TwoPhaseCommittingSink,
  ValueStateDescriptor,
} from '../../../src/index.ts'
import {
  BroadcastHarness,
  failingSink,
  type HarnessSnapshot,
  KeyedOneInputHarness,
  MiniCluster,
  OneInputHarness,
} from '../../../src/testing/index.ts'

const RULES = new MapStateDescriptor<string, number>('rules')
const misuse = expect.objectContaining({ code: 'TEST_MISUSE' })

const counting = (restoreFrom?: HarnessSnapshot) =>
  new KeyedOneInputHarness<string, string, number>({
    keyBy: (value) => value,
    restoreFrom,
    create: (at) => {
      const count = at.getState(new ValueStateDescriptor<number>('count', { default: () => 0, ttl: { ttl: '1 h' } }))
      return {
        processElement(_, __, out) {
          count.update(count.value() + 1)
          out.collect(count.value())
        },
      }
    },
  })

describe('A time that is none', () => {
  test.each([Number.NaN, Number.POSITIVE_INFINITY, -1])('is refused where the clock is moved: %s', async (ms) => {
    const harness = counting()
    harness.processElement('a')
    expect(() => harness.advanceProcessingTime(ms)).toThrow(misuse)
    harness.processElement('a')
    expect(harness.output()).toEqual([1, 2])
    await using cluster = new MiniCluster()
    await expect(cluster.advance(ms)).rejects.toEqual(misuse)
    if (ms !== -1) expect(() => cluster.jumpClock(ms)).toThrow(misuse)
    expect(cluster.clock.now()).toBe(0)
  })

  test('that is far away comes at once, whatever the state has to remove meanwhile', () => {
    const harness = counting()
    for (let index = 0; index < 1000; index++) harness.processElement(`${index}`)
    harness.output()
    harness.advanceProcessingTime(1000 * 365 * 24 * 3_600_000)
    harness.processElement('0')
    expect(harness.output()).toEqual([1])
  })
})

describe('failingSink', () => {
  test('keeps the state of a sink that has one, and gives it back after the failure', async () => {
    await using cluster = new MiniCluster()
    const inner = new CollectSink<number>()
    const given: unknown[] = []
    const sink: TwoPhaseCommittingSink<number, unknown> = {
      createWriter: async (context) => {
        const writer = await inner.createWriter(context)
        return Object.assign(writer, { snapshotState: () => [{ of: context.subtask }] })
      },
      ...{
        restoreWriter(context: Parameters<typeof inner.createWriter>[0], states: readonly unknown[]) {
          given.push(...states)
          return inner.createWriter(context)
        },
      },
      createCommitter: () => inner.createCommitter() as never,
    }
    const env = cluster.environment().setRestartStrategy(RestartStrategies.fixedDelayRestart(3, 10))
    env.enableCheckpointing(20)
    env.fromSequence(1, 5000).sinkTo(failingSink(sink, { at: 'committed' }))
    await cluster.until(env.execute('x'))
    expect(given).toEqual([{ of: 0 }])
    expect(inner.results()).toHaveLength(5000)
  })

  test('around a file sink writes the same files', async () => {
    await using cluster = new MiniCluster()
    const env = cluster.environment().setRestartStrategy(RestartStrategies.fixedDelayRestart(9, 10))
    env.enableCheckpointing(20)
    const sink = FileSink.forLines('/out', { bucketAssigner: (line) => `b${Number(line) % 2}` })
    env
      .fromSequence(1, 2000)
      .map(String)
      .sinkTo(failingSink(sink, { at: 'write', after: 1500 }))
    await cluster.until(env.execute('x'))
    const files = (await cluster.files.list('/out')).filter((path) => /part-/.test(path))
    expect(files.length).toBeGreaterThan(0)
  })
})

describe('A harness', () => {
  test('throws what its function throws, then refuses to go on, and is disposed of without a word', async () => {
    const thrown = new RangeError('mine')
    for (const hook of ['create', 'open', 'processElement', 'snapshotState', 'close'] as const) {
      const fail = (place: typeof hook): undefined => {
        if (place === hook) throw thrown
      }
      const make = () =>
        new OneInputHarness<number, number>({
          create: () => {
            fail('create')
            return {
              open: () => fail('open'),
              processElement: () => fail('processElement'),
              snapshotState: () => fail('snapshotState'),
              close: () => fail('close'),
            }
          },
        })
      const use = async () => {
        const harness = make()
        harness.processElement(1)
        await harness.snapshot(1)
        await harness[Symbol.asyncDispose]()
      }
      await expect(use(), hook).rejects.toBe(thrown)
    }
  })

  test('refuses a snapshot that was cut or belongs to something else', async () => {
    const harness = counting()
    harness.processElement('a')
    const snapshot = await harness.snapshot(1)
    const [only] = snapshot.subtasks
    if (only?.keyed === undefined) throw new Error('there is keyed state')
    for (const length of [0, 1, 8, only.keyed.bytes.length - 8]) {
      const cut = { ...snapshot, subtasks: [{ keyed: { ...only.keyed, bytes: only.keyed.bytes.slice(0, length) } }] }
      expect(() => counting(cut), `${length}`).toThrow()
    }
    expect(
      () => new OneInputHarness<string>({ create: () => ({ processElement() {} }), restoreFrom: snapshot }),
    ).toThrow()
  })

  test('restores broadcast state of fewer and of more subtasks', async () => {
    const open = (parallelism: number, restoreFrom?: HarnessSnapshot) =>
      new BroadcastHarness<number, number, string>({
        descriptors: [RULES],
        parallelism,
        restoreFrom,
        create: () => ({
          processElement: (_, at, out) => out.collect([...at.getBroadcastState(RULES)].join(';')),
          processBroadcastElement: (rule, at) => void at.getBroadcastState(RULES).put(`ä${rule}`, rule),
        }),
      })
    const before = open(3)
    before.processBroadcastElement(1)
    before.processBroadcastElement(-0)
    const snapshot = await before.snapshot(1)
    for (const parallelism of [1, 2, 7]) {
      const after = open(parallelism, JSON.parse(JSON.stringify(snapshot)))
      for (let index = 0; index < parallelism; index++) after.processElement(index)
      expect(after.output()).toEqual(Array.from({ length: parallelism }, () => 'ä1,1;ä0,0'))
      after.processBroadcastElement(2)
    }
  })
})
