/**
 * A job with one keyed operator, beside a plain model of what it must hold: commands change both, snapshots are frozen,
 * written, completed and aborted in any order, the job crashes and starts again at another parallelism.
 */
import { expect } from 'vitest'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import { valueCodec } from '../../../../src/elements/serializer.ts'
import {
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  ValueStateDescriptor,
} from '../../../../src/state/descriptors.ts'
import { singleCodec } from '../../../../src/state/entry-codecs.ts'
import { mapKeyOf } from '../../../../src/state/key.ts'
import { keyGroupOf, keyGroupRanges } from '../../../../src/state/key-groups.ts'
import { decodeIndex } from '../../../../src/state/level/level-index.ts'
import type { SnapshotFormat, StateHandle } from '../../../../src/state/snapshot.ts'
import type { FrozenKeyedState, KeyedStateBackend, StoredKeyedState } from '../../../../src/state/state-backend.ts'
import { levelBackends, type TestStores } from './level-backends.ts'
import { JobShelf } from './shelf-of-a-job.ts'

export const MAX_PARALLELISM = 8

/** Some are equal to each other: -0 and 0. */
export const KEYS: readonly unknown[] = [
  'a',
  'b',
  '',
  '\u0000c',
  '"\\\u00ff\ud800',
  'k'.repeat(100),
  0,
  -0,
  1,
  -1,
  0.5,
  Number.NaN,
  1e300,
  7n,
  2n ** 70n,
  true,
  [1, { x: 'y' }],
  ...Array.from({ length: 12 }, (_, i) => `key-${i}`),
]

const VALUE = new ValueStateDescriptor<unknown>('v')
const LIST = new ListStateDescriptor<number>('l')
const MAP = new MapStateDescriptor<string, number>('m')
const SUM = new ReducingStateDescriptor<number>('r', (a, b) => a + b)

interface Entry {
  value?: unknown
  list: number[]
  map: Map<string, number>
  sum?: number
  timer?: number
}

export type Command =
  | { readonly type: 'update'; readonly key: number; readonly value: unknown }
  | { readonly type: 'clear'; readonly key: number }
  | { readonly type: 'append'; readonly key: number; readonly value: number }
  | { readonly type: 'set'; readonly key: number; readonly name: string; readonly value: number }
  | { readonly type: 'delete'; readonly key: number; readonly name: string }
  | { readonly type: 'timer'; readonly key: number; readonly at: number | undefined }
  | { readonly type: 'read'; readonly key: number }
  | { readonly type: 'turn' }
  | { readonly type: 'freeze'; readonly format: SnapshotFormat }
  | { readonly type: 'step'; readonly which: number; readonly budget: number }
  | { readonly type: 'write'; readonly which: number; readonly fails: boolean }
  | { readonly type: 'release'; readonly which: number }
  | { readonly type: 'complete'; readonly which: number }
  | { readonly type: 'abort'; readonly which: number }
  /** Frozen, written and completed. */
  | { readonly type: 'checkpoint' }
  | { readonly type: 'crash'; readonly parallelism: number; readonly fromSavepoint: boolean }

interface Subtask {
  readonly backend: KeyedStateBackend
  readonly keyGroups: KeyedStateBackend['keyGroups']
}

interface ModelSnapshot {
  readonly id: number
  readonly format: SnapshotFormat
  readonly frozen: readonly FrozenKeyedState[]
  readonly contents: ReadonlyMap<unknown, Entry>
  states?: readonly StoredKeyedState[]
  /** What was there when it began: it may name that as long as it is pending. */
  readonly mayName: readonly StateHandle[]
}

export class ModelJob {
  readonly #create: ReturnType<typeof levelBackends>
  readonly #shelf = new JobShelf()
  #subtasks: readonly Subtask[] = []
  #contents = new Map<unknown, Entry>()
  #open: ModelSnapshot[] = []
  #written: ModelSnapshot[] = []
  #completed: ModelSnapshot | undefined
  #savepoints: ModelSnapshot[] = []
  #nextId = 1
  /** How often each thing took place. */
  readonly counts = new Map<string, number>()

  constructor(stores: TestStores) {
    this.#create = levelBackends(stores)
  }

  async start(parallelism: number, from?: ModelSnapshot): Promise<void> {
    this.#contents = copyOf(from?.contents ?? new Map())
    const states = (from?.states ?? []).map((state) => ({ ...state, mayReuse: from === this.#completed }))
    const subtasks = keyGroupRanges(MAX_PARALLELISM, parallelism).map((keyGroups) => ({
      keyGroups,
      backend: this.#create({ maxParallelism: MAX_PARALLELISM, keyGroups, clock: new VirtualClock() }),
    }))
    await Promise.all(subtasks.map(({ backend }) => backend.restore(states)))
    this.#subtasks = subtasks
  }

  async run(command: Command): Promise<void> {
    this.#count(command.type)
    switch (command.type) {
      case 'turn':
        for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
        return
      case 'checkpoint':
        return this.#checkpoint()
      case 'freeze':
        return this.#freeze(command.format)
      case 'step':
        for (const frozen of this.#nth(this.#open, command.which)?.frozen ?? []) frozen.step(command.budget)
        return
      case 'write':
        return this.#write(this.#nth(this.#open, command.which), command.fails)
      case 'release': {
        const snapshot = this.#nth(this.#open, command.which)
        if (snapshot !== undefined) this.#giveUp(snapshot)
        return
      }
      case 'complete':
        return this.#complete(this.#nth(this.#written, command.which))
      case 'abort':
        return this.#abort(this.#nth(this.#written, command.which))
      case 'crash':
        return this.#crash(command.parallelism, command.fromSavepoint)
      default:
        return this.#change(command)
    }
  }

  /** Everything is as the model says. */
  async check(): Promise<void> {
    for (const key of KEYS) this.#read(key)
    for (const { backend } of this.#subtasks) {
      const expected = [...this.#contents].filter(
        ([key, entry]) => this.#subtaskOf(key).backend === backend && entry.value !== undefined,
      )
      expect(new Set(backend.keysOf('v'))).toEqual(new Set(expected.map(([key]) => mapKeyOf(key))))
    }
  }

  async end(): Promise<void> {
    for (const snapshot of [...this.#open]) this.#giveUp(snapshot)
    await Promise.all(this.#subtasks.map(({ backend }) => backend.close()))
  }

  #change(
    command: Exclude<
      Command,
      {
        readonly type: 'turn' | 'freeze' | 'step' | 'write' | 'release' | 'complete' | 'abort' | 'crash' | 'checkpoint'
      }
    >,
  ): void {
    const key = KEYS[command.key % KEYS.length]
    const { backend } = this.#subtaskOf(key)
    backend.setCurrentKey(key)
    const entry = this.#entryOf(key)
    const timers = timersOf(backend)
    const mapKey = mapKeyOf(key)
    switch (command.type) {
      case 'update':
        backend.getState(VALUE).update(command.value)
        backend.getReducingState(SUM).add(1)
        entry.value = command.value
        entry.sum = (entry.sum ?? 0) + 1
        return
      case 'clear':
        backend.getState(VALUE).clear()
        backend.getListState(LIST).clear()
        backend.getMapState(MAP).clear()
        delete entry.value
        entry.list = []
        entry.map = new Map()
        return
      case 'append':
        backend.getListState(LIST).add(command.value)
        entry.list.push(command.value)
        return
      case 'set':
        backend.getMapState(MAP).set(command.name, command.value)
        entry.map.set(command.name, command.value)
        return
      case 'delete':
        backend.getMapState(MAP).delete(command.name)
        entry.map.delete(command.name)
        return
      case 'timer':
        if (timers.scan !== null) timers.scan.touch(mapKey)
        if (command.at === undefined) {
          timers.entries.delete(mapKey)
          delete entry.timer
        } else {
          timers.entries.set(mapKey, command.at)
          entry.timer = command.at
        }
        return
      case 'read':
        return this.#read(key)
      default:
        command satisfies never
    }
  }

  #read(key: unknown): void {
    const { backend } = this.#subtaskOf(key)
    const entry = this.#entryOf(key)
    backend.setCurrentKey(key)
    const found = {
      value: backend.getState(VALUE).value(),
      list: [...backend.getListState(LIST).get()],
      map: [...backend.getMapState(MAP)],
      sum: backend.getReducingState(SUM).get(),
      timer: timersOf(backend).entries.get(mapKeyOf(key)),
    }
    const { value, list, map, sum, timer } = entry
    expect(found).toEqual({ value, list, map: [...map], sum, timer })
  }

  #freeze(format: SnapshotFormat): void {
    if (this.#open.length >= 3) return
    const id = this.#nextId++
    const frozen = this.#subtasks.map(({ backend }) => backend.freeze(id, format))
    this.#open.push({ id, format, frozen, contents: copyOf(this.#contents), mayName: this.#named() })
  }

  async #checkpoint(): Promise<void> {
    if (this.#open.length >= 3) return
    this.#freeze('checkpoint')
    const snapshot = this.#open.at(-1) as ModelSnapshot
    await this.#write(snapshot, false)
    this.#complete(snapshot)
  }

  async #write(snapshot: ModelSnapshot | undefined, fails: boolean): Promise<void> {
    if (snapshot === undefined) return
    for (const frozen of snapshot.frozen) while (!frozen.step(5));
    this.#shelf.failNext = fails
    const before = this.#subtasks
    const results = await Promise.allSettled(
      snapshot.frozen.map((frozen, subtask) => {
        const { keyGroups } = before[subtask] as Subtask
        return frozen.write(this.#shelf.target(snapshot.id, keyGroups))
      }),
    )
    this.#shelf.failNext = false
    for (const frozen of snapshot.frozen) frozen.release()
    this.#open = this.#open.filter((other) => other !== snapshot)
    const handles = results.map((result) => (result.status === 'fulfilled' ? result.value : undefined))
    if (handles.some((handle) => handle === undefined)) {
      this.#count('failed write')
      for (const { backend } of before) backend.checkpointAborted(snapshot.id)
      return this.#letGo()
    }
    snapshot.states = handles.map((handle, subtask) => ({
      handle: handle as StateHandle,
      keyGroups: (before[subtask] as Subtask).keyGroups,
      reader: this.#shelf,
    }))
    const isSavepoint = snapshot.format === 'canonical' || snapshot.format === 'native'
    if (isSavepoint) this.#savepoints.push(snapshot)
    else this.#written.push(snapshot)
    for (const { handle } of snapshot.states) this.#count(await this.#shapeOf(handle))
  }

  /** Older ones that are still pending are subsumed. */
  #complete(snapshot: ModelSnapshot | undefined): void {
    if (snapshot === undefined) return
    this.#completed = snapshot
    this.#written = this.#written.filter(({ id }) => id > snapshot.id)
    for (const older of this.#open.filter(({ id, format }) => id < snapshot.id && !isSavepoint(format)))
      this.#giveUp(older)
    for (const { backend } of this.#subtasks) backend.checkpointCompleted(snapshot.id)
    this.#letGo()
  }

  #abort(snapshot: ModelSnapshot | undefined): void {
    if (snapshot === undefined) return
    this.#written = this.#written.filter((other) => other !== snapshot)
    for (const { backend } of this.#subtasks) backend.checkpointAborted(snapshot.id)
    this.#letGo()
  }

  #giveUp(snapshot: ModelSnapshot): void {
    for (const frozen of snapshot.frozen) frozen.release()
    this.#open = this.#open.filter((other) => other !== snapshot)
    for (const { backend } of this.#subtasks) backend.checkpointAborted(snapshot.id)
  }

  async #crash(parallelism: number, fromSavepoint: boolean): Promise<void> {
    await this.end()
    this.#written = []
    this.#letGo()
    const savepoint = this.#savepoints.at(-1)
    const from = fromSavepoint && savepoint !== undefined ? savepoint : this.#completed
    this.#count(`restore of ${from === undefined ? 'nothing' : from.format}`)
    await this.start(parallelism, from)
    await this.check()
  }

  /** Files are gone that no checkpoint names which is complete, or acknowledged, or pending since they were there. */
  #letGo(): void {
    const pending = [...this.#open, ...this.#written].flatMap(({ mayName }) => mayName)
    this.#shelf.keepOnly([...this.#named(), ...pending])
  }

  #named(): readonly StateHandle[] {
    const kept = [this.#completed, ...this.#written, ...this.#savepoints]
    return kept.flatMap((snapshot) => snapshot?.states?.map(({ handle }) => handle) ?? [])
  }

  #subtaskOf(key: unknown): Subtask {
    const group = keyGroupOf(key, MAX_PARALLELISM)
    return this.#subtasks.find(({ keyGroups }) => group >= keyGroups.first && group <= keyGroups.last) as Subtask
  }

  #entryOf(key: unknown): Entry {
    const place = key === 0 ? 0 : key
    const entry = this.#contents.get(place) ?? { list: [], map: new Map() }
    this.#contents.set(place, entry)
    return entry
  }

  #nth<T>(list: readonly T[], which: number): T | undefined {
    return list[which % Math.max(1, list.length)]
  }

  async #shapeOf(handle: StateHandle): Promise<string> {
    if (handle.type !== 'composite') return 'canonical'
    const { base, deltas } = decodeIndex(await this.#shelf.read(handle.index), handle.parts.length)
    return `${base.kind} and ${deltas.length > 3 ? 'many' : deltas.length}`
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1)
  }
}

function isSavepoint(format: SnapshotFormat): boolean {
  return format === 'canonical' || format === 'native'
}

function timersOf(backend: KeyedStateBackend) {
  return backend.keyedTable('timers', 't', singleCodec(valueCodec<number>(undefined)))
}

function copyOf(contents: ReadonlyMap<unknown, Entry>): Map<unknown, Entry> {
  return new Map(
    [...contents].map(([key, entry]) => [key, { ...entry, list: [...entry.list], map: new Map(entry.map) }]),
  )
}
