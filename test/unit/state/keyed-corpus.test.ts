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

/** Format 1, before there was a time-to-live: states of all kinds and a timer, of three keys. */
const PLAIN =
  'TVJLUwEA+QEAABg4KX0MTm1heFBhcmFsbGVsaXNthEZ0YWJsZXMOBwxEa2luZEZ0aW1lcnNEbmFtZUx0aW1lcnMvZXZlbnRLc2VyaWFsaXplcn' +
  'MOAQxCaWRPbWlsbHJhY2UudGltZXJzR3ZlcnNpb26BAAAMRGtpbmRGdGltZXJzRG5hbWVRdGltZXJzL3Byb2Nlc3NpbmdLc2VyaWFsaXplcnMO' +
  'AQxCaWRPbWlsbHJhY2UudGltZXJzR3ZlcnNpb26BAAAMRGtpbmRFdmFsdWVEbmFtZUF2S3NlcmlhbGl6ZXJzDgEMQmlkTm1pbGxyYWNlLnZhbH' +
  'VlR3ZlcnNpb26BAAAMRGtpbmREbGlzdERuYW1lQWxLc2VyaWFsaXplcnMOAQxCaWRObWlsbHJhY2UudmFsdWVHdmVyc2lvboEAAAxEa2luZENt' +
  'YXBEbmFtZUFtS3NlcmlhbGl6ZXJzDgEMQmlkTm1pbGxyYWNlLnZhbHVlR3ZlcnNpb26BAAAMRGtpbmRIcmVkdWNpbmdEbmFtZUFyS3NlcmlhbG' +
  'l6ZXJzDgEMQmlkTm1pbGxyYWNlLnZhbHVlR3ZlcnNpb26BAAAMRGtpbmRLYWdncmVnYXRpbmdEbmFtZUFnS3NlcmlhbGl6ZXJzDgEMQmlkTm1p' +
  'bGxyYWNlLnZhbHVlR3ZlcnNpb26BAAAAAQCzAAAAicDLDwAAGQAAAEFhAUFuAAAAAAAAWUCHAUFuAAAAAAAAWUACACoAAABBYQxDa2V5QWFCYX' +
  'QSAAAAAAAAFEAAhwxDa2V5h0JhdBIAAAAAAAAUQAADAAsAAABBYQOBgoOHA4GCgwQAMQAAAEFhAkF4BwEAAAAAAAAAQXkHAgAAAAAAAACHAkF4' +
  'BwEAAAAAAAAAQXkHAgAAAAAAAAAFAAUAAABBYYSHhAYACwAAAEFhDgKAiYcOAoCJAgCyAAAA410OHQAAFwAAAEsAYw4CgQxBeEF5AAFBbgAAAA' +
  'AAAFlAAgAnAAAASwBjDgKBDEF4QXkADENrZXkOAoEMQXhBeQBCYXQSAAAAAAAAFEAAAwAQAAAASwBjDgKBDEF4QXkAA4GCgwQAIwAAAEsAYw4C' +
  'gQxBeEF5AAJBeAcBAAAAAAAAAEF5BwIAAAAAAAAABQANAAAASwBjDgKBDEF4QXkAhAYAEAAAAEsAYw4CgQxBeEF5AA4CgIk='

/** Format 1 with stamps of version 1, a time-to-live of 100 ms: 'a' written at 1000, 7 at 1010, the list of keys at 1020; the last element of each list 10 ms later. */
const STAMPED =
  'TVJLUwEA4wEAANhqkOkMTm1heFBhcmFsbGVsaXNthEZ0YWJsZXMOBQxEa2luZEV2YWx1ZURuYW1lQXZLc2VyaWFsaXplcnMOAgxCaWRObWlsbH' +
  'JhY2UudmFsdWVHdmVyc2lvboEADEJpZExtaWxscmFjZS50dGxHdmVyc2lvboEAAAxEa2luZERsaXN0RG5hbWVBbEtzZXJpYWxpemVycw4CDEJp' +
  'ZE5taWxscmFjZS52YWx1ZUd2ZXJzaW9ugQAMQmlkTG1pbGxyYWNlLnR0bEd2ZXJzaW9ugQAADERraW5kQ21hcERuYW1lQW1Lc2VyaWFsaXplcn' +
  'MOAgxCaWRObWlsbHJhY2UudmFsdWVHdmVyc2lvboEADEJpZExtaWxscmFjZS50dGxHdmVyc2lvboEAAAxEa2luZEhyZWR1Y2luZ0RuYW1lQXJL' +
  'c2VyaWFsaXplcnMOAgxCaWRObWlsbHJhY2UudmFsdWVHdmVyc2lvboEADEJpZExtaWxscmFjZS50dGxHdmVyc2lvboEAAAxEa2luZEthZ2dyZW' +
  'dhdGluZ0RuYW1lQWdLc2VyaWFsaXplcnMOAgxCaWRObWlsbHJhY2UudmFsdWVHdmVyc2lvboEADEJpZExtaWxscmFjZS50dGxHdmVyc2lvboEA' +
  'AAABABQBAADEP45HAAA6AAAAQWEAAAAAAECPQAxDa2V5QWFCYXQSAAAAAAAAFEAAhwAAAAAAkI9ADENrZXmHQmF0EgAAAAAAABRAAAEAOwAAAE' +
  'FhAwAAAAAAQI9AgQAAAAAAQI9AggAAAAAAkI9Ag4cDAAAAAACQj0CBAAAAAACQj0CCAAAAAADgj0CDAgBRAAAAQWECQXgAAAAAAECPQAcBAAAA' +
  'AAAAAEF5AAAAAABAj0AHAgAAAAAAAACHAkF4AAAAAACQj0AHAQAAAAAAAABBeQAAAAAAkI9ABwIAAAAAAAAAAwAVAAAAQWEAAAAAAECPQISHAA' +
  'AAAACQj0CEBAAbAAAAQWEAAAAAAECPQA4CgImHAAAAAACQj0AOAoCJAgDVAAAAaTUepAAALwAAAEsAYw4CgQxBeEF5AAAAAAAA4I9ADENrZXkO' +
  'AoEMQXhBeQBCYXQSAAAAAAAAFEAAAQAoAAAASwBjDgKBDEF4QXkAAwAAAAAA4I9AgQAAAAAA4I9AggAAAAAAGJBAgwIAMwAAAEsAYw4CgQxBeE' +
  'F5AAJBeAAAAAAA4I9ABwEAAAAAAAAAQXkAAAAAAOCPQAcCAAAAAAAAAAMAFQAAAEsAYw4CgQxBeEF5AAAAAAAA4I9AhAQAGAAAAEsAYw4CgQxB' +
  'eEF5AAAAAAAA4I9ADgKAiQ=='

const KEYS: readonly unknown[] = ['a', 7, [1, { x: 'y' }]]

function restored(base64: string, clock: VirtualClock) {
  const keyGroups = { first: 0, last: 3 }
  const backend = memoryStateBackend({ maxParallelism: 4, keyGroups, clock })
  backend.restore([{ bytes: new Uint8Array(Buffer.from(base64, 'base64')), keyGroups }])
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
