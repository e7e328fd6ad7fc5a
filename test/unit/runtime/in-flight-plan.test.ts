import { describe, expect, test } from 'vitest'
import { operatorIdOfUid } from '../../../src/graph/operator-ids.ts'
import { DiscardingSink, type StreamExecutionEnvironment } from '../../../src/index.ts'
import type { InFlightEdge } from '../../../src/state/snapshot.ts'
import { operatorOf, planOf, serializer, stateOf, storedStates, VALUE } from './plan-fixture.ts'

/** numbers (uid source) → by key → counted (uid count), of parallelism 2; then a sink. */
const program =
  (change: { readonly custom?: boolean; readonly withSerializer?: boolean; readonly source?: string } = {}) =>
  (env: StreamExecutionEnvironment) => {
    const source = env.fromData([1, 2, 3]).uid(change.source ?? 'source')
    if (change.withSerializer === true) source.withSerializer(serializer<number>('mine', 1))
    const dealt =
      change.custom === true
        ? source.partitionCustom(
            (key: number) => key % 2,
            (value) => value,
          )
        : source.keyBy((value) => value)
    dealt
      .map((value: number) => value)
      .uid('count')
      .setParallelism(2)
      .sinkTo(new DiscardingSink())
      .uid('sink')
      .setParallelism(2)
  }

const inFlight = (change: Partial<InFlightEdge> = {}): readonly InFlightEdge[] => [
  {
    edge: { from: operatorIdOfUid('source'), input: 0, ordinal: 0 },
    partitioner: 'hash',
    serializer: VALUE,
    records: 12,
    bytes: 345,
    ...change,
  },
]
const stored = (edges = inFlight(), parallelism = 3) =>
  storedStates({ uid: 'source' }, { uid: 'count', parallelism, inFlight: edges }, { uid: 'sink', parallelism })

const NAME = 'in flight from "source"'

describe('Records in flight in a plan', () => {
  test('are matched with their edge, at another parallelism too, and counted', async () => {
    const plan = await planOf(stored(), program())
    expect(plan.failure).toBeUndefined()
    expect(stateOf(plan, 'count', NAME)).toMatchObject({
      type: 'channels',
      change: 'matched',
      stored: { kind: 'hash', serializers: [VALUE] },
      program: { kind: 'hash', serializers: [VALUE] },
      note: '12 record(s), 345 bytes',
      failure: undefined,
    })
  })

  test('of an edge that is gone fail the restore, and are warned of where that is allowed', async () => {
    const plan = await planOf(stored(), program({ source: 'another' }))
    expect(plan.failure?.code).toBe('STATE_NOT_RESTORED')
    expect(operatorOf(plan, 'count').failure?.code).toBe('STATE_NOT_RESTORED')
    expect(stateOf(plan, 'count', NAME)).toMatchObject({ change: 'dropped', program: undefined })
    const allowed = await planOf(stored(), program({ source: 'another' }), { allowNonRestoredState: true })
    expect(allowed.failure).toBeUndefined()
    expect(allowed.warnings.join()).toContain(`State '${NAME}' of`)
  })

  test('of a custom partitioner fail the restore at another parallelism, whatever is allowed', async () => {
    const custom = inFlight({ partitioner: 'custom' })
    for (const allowNonRestoredState of [false, true]) {
      const plan = await planOf(stored(custom), program({ custom: true }), { allowNonRestoredState })
      expect(plan.failure?.code).toBe('UNSUPPORTED')
      expect(stateOf(plan, 'count', NAME)).toMatchObject({ change: 'incompatible', failure: { code: 'UNSUPPORTED' } })
    }
    expect((await planOf(stored(custom, 2), program({ custom: true }))).failure).toBeUndefined()
  })

  test('by another serializer fail the restore', async () => {
    const plan = await planOf(stored(), program({ withSerializer: true }))
    expect(plan.failure?.code).toBe('STATE_INCOMPATIBLE')
    expect(stateOf(plan, 'count', NAME).note).toContain("'mine'")
  })

  test('to an operator that is gone are orphaned with it', async () => {
    const old = storedStates({ uid: 'source' }, { uid: 'renamed', parallelism: 2, inFlight: inFlight() })
    const plan = await planOf(old, program())
    expect(plan.failure?.code).toBe('STATE_NOT_RESTORED')
    expect(operatorOf(plan, 'renamed').change).toBe('orphaned')
    expect(stateOf(plan, 'renamed', NAME)).toMatchObject({ change: 'orphaned' })
  })
})
