/** Payloads that earlier versions wrote are read for ever: the bytes stand here as they were written, never to be made anew. */
import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import { ByteReader } from '../../../src/elements/byte-reader.ts'
import {
  AggregatingStateDescriptor,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  ValueStateDescriptor,
} from '../../../src/state/descriptors.ts'
import { encodeKeyedHeader, readKeyedHeader } from '../../../src/state/keyed-format.ts'
import { memoryStateBackend } from '../../../src/state/memory/memory-state-backend.ts'
import type { StateTtlConfig } from '../../../src/state/state-ttl.ts'
import { createTimerService } from '../../../src/state/timers.ts'
import { storedInline } from '../../../src/testing/keyed-snapshot.ts'

/** Format 2, before there was a time-to-live: states of all kinds and a timer, of three keys. */
const PLAIN =
  'TVJLUwIA+QEAABg4KX0MTm1heFBhcmFsbGVsaXNthEZ0YWJsZXMOBwxEa2luZEZ0aW1lcnNEbmFtZUx0aW1lcnMvZXZlbnRLc2VyaWFsaXplcnMO' +
  'AQxCaWRPbWlsbHJhY2UudGltZXJzR3ZlcnNpb26BAAAMRGtpbmRGdGltZXJzRG5hbWVRdGltZXJzL3Byb2Nlc3NpbmdLc2VyaWFsaXplcnMOAQxC' +
  'aWRPbWlsbHJhY2UudGltZXJzR3ZlcnNpb26BAAAMRGtpbmRFdmFsdWVEbmFtZUF2S3NlcmlhbGl6ZXJzDgEMQmlkTm1pbGxyYWNlLnZhbHVlR3Zl' +
  'cnNpb26BAAAMRGtpbmREbGlzdERuYW1lQWxLc2VyaWFsaXplcnMOAQxCaWRObWlsbHJhY2UudmFsdWVHdmVyc2lvboEAAAxEa2luZENtYXBEbmFt' +
  'ZUFtS3NlcmlhbGl6ZXJzDgEMQmlkTm1pbGxyYWNlLnZhbHVlR3ZlcnNpb26BAAAMRGtpbmRIcmVkdWNpbmdEbmFtZUFyS3NlcmlhbGl6ZXJzDgEM' +
  'QmlkTm1pbGxyYWNlLnZhbHVlR3ZlcnNpb26BAAAMRGtpbmRLYWdncmVnYXRpbmdEbmFtZUFnS3NlcmlhbGl6ZXJzDgEMQmlkTm1pbGxyYWNlLnZh' +
  'bHVlR3ZlcnNpb26BAAAAAQC/AAAALCsePQAAGwAAAEFhCwFBbgAAAAAAAFlAhwsBQW4AAAAAAABZQAIALAAAAEFhFAxDa2V5QWFCYXQSAAAAAAAA' +
  'FEAAhxMMQ2tleYdCYXQSAAAAAAAAFEAAAwANAAAAQWEEA4GCg4cEA4GCgwQAMwAAAEFhFwJBeAcBAAAAAAAAAEF5BwIAAAAAAAAAhxcCQXgHAQAA' +
  'AAAAAABBeQcCAAAAAAAAAAUABwAAAEFhAYSHAYQGAA0AAABBYQQOAoCJhwQOAoCJAgC4AAAADxUo4gAAGAAAAEsAYw4CgQxBeEF5AAsBQW4AAAAA' +
  'AABZQAIAKAAAAEsAYw4CgQxBeEF5ABsMQ2tleQ4CgQxBeEF5AEJhdBIAAAAAAAAUQAADABEAAABLAGMOAoEMQXhBeQAEA4GCgwQAJAAAAEsAYw4C' +
  'gQxBeEF5ABcCQXgHAQAAAAAAAABBeQcCAAAAAAAAAAUADgAAAEsAYw4CgQxBeEF5AAGEBgARAAAASwBjDgKBDEF4QXkABA4CgIk='

/** Format 2 with stamps of version 1, a time-to-live of 100 ms: 'a' written at 1000, 7 at 1010, the list of keys at 1020; the last element of each list 10 ms later. */
const STAMPED =
  'TVJLUwIA4wEAANhqkOkMTm1heFBhcmFsbGVsaXNthEZ0YWJsZXMOBQxEa2luZEV2YWx1ZURuYW1lQXZLc2VyaWFsaXplcnMOAgxCaWRObWlsbHJh' +
  'Y2UudmFsdWVHdmVyc2lvboEADEJpZExtaWxscmFjZS50dGxHdmVyc2lvboEAAAxEa2luZERsaXN0RG5hbWVBbEtzZXJpYWxpemVycw4CDEJpZE5t' +
  'aWxscmFjZS52YWx1ZUd2ZXJzaW9ugQAMQmlkTG1pbGxyYWNlLnR0bEd2ZXJzaW9ugQAADERraW5kQ21hcERuYW1lQW1Lc2VyaWFsaXplcnMOAgxC' +
  'aWRObWlsbHJhY2UudmFsdWVHdmVyc2lvboEADEJpZExtaWxscmFjZS50dGxHdmVyc2lvboEAAAxEa2luZEhyZWR1Y2luZ0RuYW1lQXJLc2VyaWFs' +
  'aXplcnMOAgxCaWRObWlsbHJhY2UudmFsdWVHdmVyc2lvboEADEJpZExtaWxscmFjZS50dGxHdmVyc2lvboEAAAxEa2luZEthZ2dyZWdhdGluZ0Ru' +
  'YW1lQWdLc2VyaWFsaXplcnMOAgxCaWRObWlsbHJhY2UudmFsdWVHdmVyc2lvboEADEJpZExtaWxscmFjZS50dGxHdmVyc2lvboEAAAABAB4BAACd' +
  'iUL8AAA8AAAAQWEcAAAAAABAj0AMQ2tleUFhQmF0EgAAAAAAABRAAIcbAAAAAACQj0AMQ2tleYdCYXQSAAAAAAAAFEAAAQA9AAAAQWEcAwAAAAAA' +
  'QI9AgQAAAAAAQI9AggAAAAAAkI9Ag4ccAwAAAAAAkI9AgQAAAAAAkI9AggAAAAAA4I9AgwIAUwAAAEFhJwJBeAAAAAAAQI9ABwEAAAAAAAAAQXkA' +
  'AAAAAECPQAcCAAAAAAAAAIcnAkF4AAAAAACQj0AHAQAAAAAAAABBeQAAAAAAkI9ABwIAAAAAAAAAAwAXAAAAQWEJAAAAAABAj0CEhwkAAAAAAJCP' +
  'QIQEAB0AAABBYQwAAAAAAECPQA4CgImHDAAAAAAAkI9ADgKAiQIA2gAAADaqEmwAADAAAABLAGMOAoEMQXhBeQAjAAAAAADgj0AMQ2tleQ4CgQxB' +
  'eEF5AEJhdBIAAAAAAAAUQAABACkAAABLAGMOAoEMQXhBeQAcAwAAAAAA4I9AgQAAAAAA4I9AggAAAAAAGJBAgwIANAAAAEsAYw4CgQxBeEF5ACcC' +
  'QXgAAAAAAOCPQAcBAAAAAAAAAEF5AAAAAADgj0AHAgAAAAAAAAADABYAAABLAGMOAoEMQXhBeQAJAAAAAADgj0CEBAAZAAAASwBjDgKBDEF4QXkA' +
  'DAAAAAAA4I9ADgKAiQ=='

const KEYS: readonly unknown[] = ['a', 7, [1, { x: 'y' }]]

function restored(base64: string, clock: VirtualClock) {
  const keyGroups = { first: 0, last: 3 }
  const backend = memoryStateBackend({ maxParallelism: 4, keyGroups, clock })
  backend.restore([storedInline(base64, keyGroups)])
  const contents = (ttl?: StateTtlConfig) =>
    KEYS.map((key) => {
      backend.setCurrentKey(key)
      const length = {
        createAccumulator: (): number[] => [],
        add: (value: number, all: number[]) => [...all, value],
        getResult: (all: number[]) => all.length,
        merge: (a: number[], b: number[]) => [...a, ...b],
      }
      return [
        backend.getState(new ValueStateDescriptor<unknown>('v', { ttl })).value(),
        [...backend.getListState(new ListStateDescriptor<number>('l', { ttl })).get()],
        [...backend.getMapState(new MapStateDescriptor<string, bigint>('m', { ttl }))],
        backend.getReducingState(new ReducingStateDescriptor<number>('r', (a, b) => a + b, { ttl })).get(),
        backend.getAggregatingState(new AggregatingStateDescriptor('g', length, { ttl })).get(),
      ]
    })
  return { backend, contents }
}

const full = (key: unknown) => [
  { key, at: new Date(5) },
  [1, 2, 3],
  [
    ['x', 1n],
    ['y', 2n],
  ],
  4,
  2,
]
const NOTHING = [undefined, [], [], undefined, undefined]

describe('a payload of before there was a time-to-live', () => {
  test('is read by a program without one, timers included', () => {
    const { backend, contents } = restored(PLAIN, new VirtualClock())
    expect(contents()).toEqual(KEYS.map(full))
    const target = { onEventTime() {}, onProcessingTime() {} }
    const timers = createTimerService({ backend, clock: new VirtualClock(), target, due() {} })
    expect(timers.numEventTimeTimers()).toBe(3)
  })

  test('is read by a program with one: the age of all begins with the restore', () => {
    const clock = new VirtualClock({ startMs: 5000 })
    const { contents } = restored(PLAIN, clock)
    expect(contents({ ttl: 100, cleanupInBackground: false })).toEqual(KEYS.map(full))
    clock.skip(99)
    expect(contents({ ttl: 100, cleanupInBackground: false })).toEqual(KEYS.map(full))
    clock.skip(1)
    expect(contents({ ttl: 100, cleanupInBackground: false })).toEqual(KEYS.map(() => NOTHING))
  })
})

describe('a payload with stamps', () => {
  test('keeps the age of each value, element and map entry', () => {
    const clock = new VirtualClock({ startMs: 1099 })
    const { contents } = restored(STAMPED, clock)
    expect(contents({ ttl: 100 })).toEqual(KEYS.map(full))
    clock.skip(1)
    expect(contents({ ttl: 100 })).toEqual([[undefined, [3], [], undefined, undefined], full(7), full(KEYS[2])])
    clock.skip(19)
    expect(contents({ ttl: 100 })).toEqual([NOTHING, [undefined, [3], [], undefined, undefined], full(KEYS[2])])
    clock.skip(11)
    expect(contents({ ttl: 100 })).toEqual(KEYS.map(() => NOTHING))
  })

  test('is read by a program without a time-to-live: nothing has expired then', () => {
    expect(restored(STAMPED, new VirtualClock({ startMs: 1e12 })).contents()).toEqual(KEYS.map(full))
  })

  test('of a newer version of stamps is refused, with a time-to-live and without', () => {
    const input = new ByteReader(new Uint8Array(Buffer.from(STAMPED, 'base64')))
    const { maxParallelism, tables } = readKeyedHeader(input)
    const newer = tables.map(({ serializers, ...table }) => ({
      ...table,
      serializers: serializers.map(({ id, version }) => ({ id, version: id === 'millrace.ttl' ? 2 : version })),
    }))
    const header = encodeKeyedHeader({ maxParallelism, tables: newer })
    const payload = Buffer.concat([header, input.raw(input.remaining)]).toString('base64')
    for (const ttl of [{ ttl: 100 }, undefined])
      expect(() => restored(payload, new VirtualClock()).contents(ttl)).toThrow(
        expect.objectContaining({ code: 'STATE_INCOMPATIBLE', message: expect.stringContaining("'millrace.ttl'") }),
      )
  })
})

describe('a payload of format 1, of before there was a release', () => {
  test('is refused by name', () => {
    const bytes = Buffer.from(PLAIN, 'base64')
    bytes.writeUInt16LE(1, 4)
    expect(() => restored(bytes.toString('base64'), new VirtualClock())).toThrow(
      expect.objectContaining({ code: 'STATE_INCOMPATIBLE', message: expect.stringContaining('format 1') }),
    )
  })
})
