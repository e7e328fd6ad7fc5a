/** States with a time-to-live against plain rules: any uses at any time, snapshots that overlap them, restores. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import {
  AggregatingStateDescriptor,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  ValueStateDescriptor,
} from '../../../src/state/descriptors.ts'
import type { FrozenTables } from '../../../src/state/frozen-tables.ts'
import { type MemoryStateBackend, memoryStateBackend } from '../../../src/state/memory/memory-state-backend.ts'
import type { KeyedStateBackend } from '../../../src/state/state-backend.ts'
import type { StateTtlConfig } from '../../../src/state/state-ttl.ts'
import { finishSnapshot, storedBytes } from '../../../src/testing/keyed-snapshot.ts'
import { apply, type Cell, type Kind, living, type Op, type Rules } from './ttl-oracle.ts'

const WHOLE = { first: 0, last: 7 }
const KEYS = ['k0', 'k1', 'k2']
const NAMES = ['x', 'y', 'z']

/** Performs an operation on the real state; answers as the oracle does. */
type Perform = (op: Op) => unknown

function performer(backend: KeyedStateBackend, kind: Kind, ttl: StateTtlConfig): Perform {
  switch (kind) {
    case 'value': {
      const state = backend.getState(new ValueStateDescriptor<number>('s', { ttl }))
      return (op) =>
        single(
          op,
          () => state.value(),
          state,
          (value) => state.update(value),
        )
    }
    case 'reducing': {
      const state = backend.getReducingState(new ReducingStateDescriptor<number>('s', (a, b) => a + b, { ttl }))
      return (op) =>
        single(
          op,
          () => state.get(),
          state,
          (value) => state.add(value),
        )
    }
    case 'aggregating': {
      const state = backend.getAggregatingState(
        new AggregatingStateDescriptor(
          's',
          {
            createAccumulator: () => ({ sum: 0 }),
            add(value: number, accumulator) {
              accumulator.sum += value
              return accumulator
            },
            getResult: ({ sum }) => sum,
            merge: (a, b) => ({ sum: a.sum + b.sum }),
          },
          { ttl },
        ),
      )
      return (op) =>
        single(
          op,
          () => state.get(),
          state,
          (value) => state.add(value),
        )
    }
    case 'list': {
      const state = backend.getListState(new ListStateDescriptor<number>('s', { ttl }))
      return (op) => {
        if (op.do === 'write') state.update([op.value, op.value + 1])
        else if (op.do === 'append') state.add(op.value)
        else if (op.do === 'clear') state.clear()
        else return [...state.get()].map((value) => ['', value])
        return undefined
      }
    }
    default: {
      const state = backend.getMapState(new MapStateDescriptor<string, number>('s', { ttl }))
      return (op) => {
        if (op.do === 'write') state.set(op.name, op.value)
        else if (op.do === 'clear') state.clear()
        else if (op.do === 'get') return state.get(op.name)
        else if (op.do === 'has') return state.has(op.name)
        else if (op.do === 'delete') return state.delete(op.name)
        else if (op.do === 'isEmpty') return state.isEmpty()
        else if (op.do === 'read') return [...state]
        return undefined
      }
    }
  }
}

function single(
  op: Op,
  get: () => number | undefined,
  state: { clear(): void },
  write: (value: number) => void,
): unknown {
  if (op.do === 'write') return write(op.value)
  if (op.do === 'clear') return state.clear()
  const value = get()
  return value === undefined ? [] : [['', value]]
}

const opOf = (kind: Kind): fc.Arbitrary<Op> => {
  const value = fc.nat(9)
  const name = fc.constantFrom(...NAMES)
  const write = fc.record({ do: fc.constant('write' as const), name, value })
  const always = [write, write, fc.record({ do: fc.constantFrom('read', 'read', 'clear') })]
  const more: Partial<Record<Kind, readonly fc.Arbitrary<unknown>[]>> = {
    list: [fc.record({ do: fc.constant('append'), value }), fc.record({ do: fc.constant('append'), value })],
    map: [fc.record({ do: fc.constantFrom('get', 'has', 'delete'), name }), fc.record({ do: fc.constant('isEmpty') })],
  }
  return fc.oneof(...always, ...(more[kind] ?? [])) as fc.Arbitrary<Op>
}

type Step =
  | { readonly type: 'op'; readonly key: string; readonly op: Op }
  | { readonly type: 'time'; readonly ms: number }
  | { readonly type: 'freeze' }
  | { readonly type: 'check' }
  | { readonly type: 'walk'; readonly which: number }
  | { readonly type: 'restore'; readonly ttlMs: number }

const stepOf = (kind: Kind): fc.Arbitrary<Step> =>
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ type: fc.constant('op'), key: fc.constantFrom(...KEYS), op: opOf(kind) }) },
    { weight: 4, arbitrary: fc.record({ type: fc.constant('time'), ms: fc.constantFrom(1, 5, 9, 10, 11, 30) }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('freeze', 'freeze', 'check') }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('walk'), which: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('restore'), ttlMs: fc.constantFrom(10, 10, 20) }) },
  ) as fc.Arbitrary<Step>

interface Case {
  readonly refreshesOnRead: boolean
  readonly returnsExpired: boolean
  readonly cleanupFullSnapshot: boolean
  /** What is still seen of the expired depends on it, so it is on only where they are never seen. */
  readonly cleanupInBackground: boolean
}

const CASES: readonly Case[] = [true, false].flatMap((refreshesOnRead) =>
  [true, false].flatMap((cleanupFullSnapshot) => [
    { refreshesOnRead, cleanupFullSnapshot, returnsExpired: true, cleanupInBackground: false },
    { refreshesOnRead, cleanupFullSnapshot, returnsExpired: false, cleanupInBackground: false },
    { refreshesOnRead, cleanupFullSnapshot, returnsExpired: false, cleanupInBackground: true },
  ]),
)

interface Walking {
  readonly frozen: FrozenTables
  readonly copy: ReadonlyMap<string, Cell>
}

/** Real states and the rules, side by side. */
class Pair {
  readonly clock = new VirtualClock({ startMs: 1000 })
  readonly #kind: Kind
  readonly #case: Case
  #ttlMs = 10
  #backend: MemoryStateBackend
  #perform: Perform
  #cells = new Map<string, Cell>()
  readonly walking: Walking[] = []
  seenExpired = 0

  constructor(kind: Kind, which: Case) {
    this.#kind = kind
    this.#case = which
    this.#backend = this.#open()
    this.#perform = performer(this.#backend, kind, this.#ttl())
  }

  step(step: Step): void {
    if (step.type === 'op') this.#op(step.key, step.op)
    else if (step.type === 'time') this.clock.advance(step.ms)
    else if (step.type === 'freeze') this.#freeze()
    else if (step.type === 'walk') this.walking[step.which]?.frozen.step(1)
    else if (step.type === 'check') this.check()
    else this.#restore(step.ttlMs)
  }

  /** The oldest snapshot holds what the states held at its freeze. */
  check(): void {
    const [oldest] = this.walking.splice(0, 1)
    if (oldest === undefined) return
    const other = this.#open(finishSnapshot(oldest.frozen))
    const perform = performer(other, this.#kind, this.#ttl())
    for (const key of KEYS) {
      other.setCurrentKey(key)
      const { answer } = this.#expected(oldest.copy.get(key) ?? [], { do: 'read' })
      expect(perform({ do: 'read' })).toEqual(answer)
    }
    other.close()
  }

  close(): void {
    while (this.walking.length > 0) this.check()
    this.#backend.close()
    expect(this.clock.nextDeadlineMs()).toBeUndefined()
  }

  #op(key: string, op: Op): void {
    this.#backend.setCurrentKey(key)
    const cell = this.#cells.get(key) ?? []
    const { cell: after, answer } = this.#expected(cell, op)
    expect(this.#perform(op)).toEqual(answer)
    if (op.do === 'read' && after.length < cell.length) this.seenExpired++
    this.#cells.set(key, after)
  }

  #expected(cell: Cell, op: Op) {
    return apply(this.#kind, this.#rules(), cell, op, this.clock.now())
  }

  #freeze(): void {
    if (this.walking.length === 3) this.check()
    const { cleanupFullSnapshot, returnsExpired } = this.#case
    const nowMs = this.clock.now()
    const left = (cell: Cell) => (cleanupFullSnapshot ? living(this.#rules(), cell, nowMs) : cell)
    const copy = new Map([...this.#cells].map(([key, cell]) => [key, left(cell)]))
    const frozen = this.#backend.freeze(1)
    this.walking.push({ frozen, copy })
    // What expires while the snapshot walks may be left out of it: only where nobody can see the difference.
    if (cleanupFullSnapshot && returnsExpired) while (!frozen.step(100));
  }

  #restore(ttlMs: number): void {
    const [oldest] = this.walking.splice(0, 1)
    for (const { frozen } of this.walking.splice(0)) frozen.release()
    if (oldest === undefined) return
    const bytes = finishSnapshot(oldest.frozen)
    this.#backend.close()
    this.#ttlMs = this.#case.cleanupFullSnapshot ? this.#ttlMs : ttlMs
    this.#backend = this.#open(bytes)
    this.#perform = performer(this.#backend, this.#kind, this.#ttl())
    this.#cells = new Map(oldest.copy)
  }

  #open(bytes?: Uint8Array): MemoryStateBackend {
    const backend = memoryStateBackend({ maxParallelism: 8, keyGroups: WHOLE, clock: this.clock })
    if (bytes !== undefined) backend.restore([storedBytes(bytes, WHOLE)])
    return backend
  }

  #rules(): Rules {
    return { ...this.#case, ttlMs: this.#ttlMs }
  }

  #ttl(): StateTtlConfig {
    const { refreshesOnRead, returnsExpired, cleanupFullSnapshot, cleanupInBackground } = this.#case
    return {
      ttl: this.#ttlMs,
      updateType: refreshesOnRead ? 'OnReadAndWrite' : 'OnCreateAndWrite',
      stateVisibility: returnsExpired ? 'ReturnExpiredIfNotCleanedUp' : 'NeverReturnExpired',
      cleanupFullSnapshot,
      cleanupInBackground,
    }
  }
}

describe.each(['value', 'list', 'map', 'reducing', 'aggregating'] as const)('%s state with a time-to-live', (kind) => {
  test('does what the rules say, and so do its snapshots', () => {
    let seenExpired = 0
    fc.assert(
      fc.property(
        fc.constantFrom(...CASES),
        fc.array(stepOf(kind), { minLength: 30, maxLength: 150 }),
        (which, steps) => {
          const pair = new Pair(kind, which)
          for (const step of steps) pair.step(step)
          pair.close()
          seenExpired += pair.seenExpired
        },
      ),
      { numRuns: 300, seed: 1 },
    )
    // The clock was such that entries did expire under the reads.
    expect(seenExpired).toBeGreaterThan(200)
  })
})
