/**
 * The timers of one time domain: a heap by time, and per key a sorted list by which a timer is found again. The lists
 * stand in a keyed table, so that timers are frozen, written and restored as state is.
 */
import { readValue } from '../elements/value-reader.ts'
import { writeValue } from '../elements/value-writer.ts'
import { keyOf, type MapKey } from './key.ts'
import type { EntryCodec, KeyedTable } from './keyed-table.ts'
import { TimerHeap } from './timer-heap.ts'

export interface Timer {
  readonly timestamp: number
  readonly key: unknown
  readonly mapKey: MapKey
  readonly namespace: unknown
  /** The namespace in the form in which equal ones are equal; undefined for none. */
  readonly mapNamespace: MapKey | undefined
  /** Timers of the same time fire in the order in which they were set. */
  sequence: number
  heapIndex: number
}

export class TimerQueue {
  readonly #table: KeyedTable<Timer[]>
  readonly #heap = new TimerHeap()
  #sequence = 0

  /** The table may hold restored timers. */
  constructor(table: KeyedTable<Timer[]>) {
    this.#table = table
    for (const timers of table.entries.values())
      for (const timer of timers) {
        timer.sequence = this.#sequence++
        this.#heap.add(timer)
      }
  }

  get size(): number {
    return this.#heap.size
  }

  peek(): Timer | undefined {
    return this.#heap.peek()
  }

  /** False when it was set before: it stays one timer. Per record. */
  add(key: unknown, mapKey: MapKey, namespace: unknown, mapNamespace: MapKey | undefined, timestamp: number): boolean {
    const table = this.#table
    const timers = table.entries.get(mapKey)
    const place = timers === undefined ? 0 : placeOf(timers, timestamp, mapNamespace)
    if (timers !== undefined && isAt(timers, place, timestamp, mapNamespace)) return false
    if (table.scan !== null) table.scan.touch(mapKey)
    const timer: Timer = { timestamp, key, mapKey, namespace, mapNamespace, sequence: this.#sequence++, heapIndex: -1 }
    if (timers === undefined) table.entries.set(mapKey, [timer])
    else if (place === timers.length) timers.push(timer)
    else timers.splice(place, 0, timer)
    this.#heap.add(timer)
    return true
  }

  /** False when there is no such timer. */
  remove(mapKey: MapKey, mapNamespace: MapKey | undefined, timestamp: number): boolean {
    const timers = this.#table.entries.get(mapKey)
    if (timers === undefined) return false
    const place = placeOf(timers, timestamp, mapNamespace)
    if (!isAt(timers, place, timestamp, mapNamespace)) return false
    this.#heap.remove(timers[place] as Timer)
    this.#forget(timers, place, mapKey)
    return true
  }

  /** The earliest timer if it is due at `time`; it is set no more. */
  pollDue(time: number): Timer | undefined {
    const timer = this.#heap.peek()
    if (timer === undefined || timer.timestamp > time) return undefined
    this.#heap.remove(timer)
    const timers = this.#table.entries.get(timer.mapKey) as Timer[]
    this.#forget(timers, placeOf(timers, timer.timestamp, timer.mapNamespace), timer.mapKey)
    return timer
  }

  #forget(timers: Timer[], place: number, mapKey: MapKey): void {
    const table = this.#table
    if (table.scan !== null) table.scan.touch(mapKey)
    if (timers.length === 1) table.entries.delete(mapKey)
    else timers.splice(place, 1)
  }
}

/** Number of timers; of each its namespace as a value of the default serializer, and its time as a double. */
export const TIMERS_CODEC: EntryCodec<Timer[]> = {
  serializers: [{ id: 'millrace.timers', version: 1 }],
  write(out, timers) {
    out.varint(timers.length)
    for (const { mapNamespace, timestamp } of timers) {
      writeValue(out, mapNamespace)
      out.float64(timestamp)
    }
  },
  read(input, _versions, mapKey) {
    const key = keyOf(mapKey)
    const timers: Timer[] = []
    for (let left = input.varint(); left > 0; left--) {
      const mapNamespace = readValue(input) as MapKey | undefined
      const namespace = mapNamespace === undefined ? undefined : keyOf(mapNamespace)
      timers.push({ timestamp: input.float64(), key, mapKey, namespace, mapNamespace, sequence: 0, heapIndex: -1 })
    }
    return timers
  },
}

/** The first place whose timer does not come before these; by time, then by namespace. */
function placeOf(timers: readonly Timer[], timestamp: number, mapNamespace: MapKey | undefined): number {
  let low = 0
  let high = timers.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const timer = timers[middle] as Timer
    if (
      timer.timestamp < timestamp ||
      (timer.timestamp === timestamp && compareNamespaces(timer.mapNamespace, mapNamespace) < 0)
    )
      low = middle + 1
    else high = middle
  }
  return low
}

function isAt(timers: readonly Timer[], place: number, timestamp: number, mapNamespace: MapKey | undefined): boolean {
  const timer = timers[place]
  return (
    timer !== undefined && timer.timestamp === timestamp && compareNamespaces(timer.mapNamespace, mapNamespace) === 0
  )
}

/** Any total order does; types differ from each other, NaN equals itself. */
function compareNamespaces(one: MapKey | undefined, other: MapKey | undefined): number {
  if (one === other) return 0
  const types = compare(typeof one, typeof other)
  if (types !== 0) return types
  if (Number.isNaN(one) || Number.isNaN(other)) return Number(Number.isNaN(one)) - Number(Number.isNaN(other))
  return compare(one as MapKey, other as MapKey)
}

function compare(one: MapKey, other: MapKey): number {
  return one < other ? -1 : one > other ? 1 : 0
}
