import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import { ValueStateDescriptor } from '../../../src/state/descriptors.ts'
import { keyGroupOf, keyGroupRanges } from '../../../src/state/key-groups.ts'
import { type MemoryStateBackend, memoryStateBackend } from '../../../src/state/memory/memory-state-backend.ts'
import { createTimerService, type InternalTimer } from '../../../src/state/timers.ts'
import { finishSnapshot, keyedSnapshot, storedBytes } from '../../../src/testing/keyed-snapshot.ts'

const MAX_PARALLELISM = 16
const WHOLE = { first: 0, last: MAX_PARALLELISM - 1 }

function operator(options: { readonly backend?: MemoryStateBackend; readonly clock?: VirtualClock } = {}) {
  const {
    clock = new VirtualClock(),
    backend = memoryStateBackend({ maxParallelism: MAX_PARALLELISM, keyGroups: WHOLE, clock }),
  } = options
  const fired: InternalTimer[] = []
  const keys: unknown[] = []
  let due = 0
  const note = (timer: InternalTimer) => {
    fired.push(timer)
    keys.push(backend.currentKey())
  }
  const timers = createTimerService({
    backend,
    clock,
    target: { onEventTime: note, onProcessingTime: note },
    due: () => void due++,
  })
  return { backend, clock, timers, fired, keys, timesDue: () => due }
}

function restoredOperator(bytes: Uint8Array, keyGroups = WHOLE, clock = new VirtualClock()) {
  const backend = memoryStateBackend({ maxParallelism: MAX_PARALLELISM, keyGroups, clock })
  backend.restore([storedBytes(bytes, WHOLE)])
  return operator({ backend, clock })
}

describe('timers', () => {
  test('fire one at a time, so that whoever advances the watermark can stop between two', () => {
    const { backend, timers, fired } = operator()
    backend.setCurrentKey('k')
    for (const timestamp of [3, 1, 2]) timers.registerEventTimeTimer(undefined, timestamp)
    expect(timers.pollDueEventTimer(2)).toBe(true)
    expect(fired.map(({ timestamp }) => timestamp)).toEqual([1])
    expect(timers.currentWatermark()).toBe(2)
    expect([timers.pollDueEventTimer(2), timers.pollDueEventTimer(2)]).toEqual([true, false])
    expect(timers.numEventTimeTimers()).toBe(1)
  })

  test('make their key the current one, as it was given', () => {
    const { backend, timers, keys } = operator()
    const given = [['a', 1], 2, Number.NaN, { x: 1n }]
    given.forEach((key, index) => {
      backend.setCurrentKey(key)
      timers.registerEventTimeTimer('n', index)
    })
    backend.setCurrentKey('another')
    while (timers.pollDueEventTimer(10));
    expect(keys).toEqual(given)
  })

  test('keep namespaces apart, composite ones by value', () => {
    const { backend, timers, fired } = operator()
    backend.setCurrentKey('k')
    for (const namespace of [
      undefined,
      '',
      1,
      '1',
      [1],
      { start: 1 },
      { start: 1 },
      [1],
      undefined,
      Number.NaN,
      Number.NaN,
    ])
      timers.registerEventTimeTimer(namespace, 5)
    expect(timers.numEventTimeTimers()).toBe(7)
    timers.deleteEventTimeTimer({ start: 1 }, 5)
    while (timers.pollDueEventTimer(5));
    expect(new Set(fired.map(({ namespace }) => namespace))).toEqual(new Set([undefined, '', 1, '1', [1], Number.NaN]))
  })

  test('need a key, and a time that is a number', () => {
    const { backend, timers } = operator()
    expect(() => timers.registerEventTimeTimer(undefined, 1)).toThrow(
      expect.objectContaining({ code: 'NO_CURRENT_KEY' }),
    )
    backend.setCurrentKey('k')
    expect(() => timers.registerProcessingTimeTimer(undefined, Number.NaN)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
    expect(() => timers.registerEventTimeTimer(undefined, '5' as unknown as number)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
  })

  test('at the end of time fire with the last watermark, and never by the clock', () => {
    const { backend, clock, timers, fired } = operator()
    backend.setCurrentKey('k')
    timers.registerEventTimeTimer(undefined, Number.POSITIVE_INFINITY)
    timers.registerProcessingTimeTimer(undefined, Number.POSITIVE_INFINITY)
    expect(clock.nextDeadlineMs()).toBeUndefined()
    expect(timers.pollDueEventTimer(Number.MAX_VALUE)).toBe(false)
    while (timers.pollDueEventTimer(Number.POSITIVE_INFINITY));
    expect(fired).toHaveLength(1)
  })
})

describe('the physical timer', () => {
  test('is armed again only when nothing is due any more', () => {
    const { backend, clock, timers, fired, timesDue } = operator()
    backend.setCurrentKey('k')
    for (const timestamp of [10, 11, 50]) timers.registerProcessingTimeTimer(undefined, timestamp)
    clock.skip(20)
    clock.advance(0)
    expect([timesDue(), fired.length, timers.physicalTimerMs()]).toEqual([1, 0, undefined])
    expect(timers.pollDueProcessingTimer()).toBe(true)
    timers.registerProcessingTimeTimer(undefined, 15)
    expect(timers.physicalTimerMs()).toBeUndefined()
    while (timers.pollDueProcessingTimer());
    expect(fired.map(({ timestamp }) => timestamp)).toEqual([10, 11, 15])
    expect([timers.physicalTimerMs(), clock.nextDeadlineMs()]).toEqual([50, 50])
  })

  test('stays armed for a timer that was deleted, finds nothing due and is armed for the next', () => {
    const { backend, clock, timers, fired, timesDue } = operator()
    backend.setCurrentKey('k')
    timers.registerProcessingTimeTimer(undefined, 10)
    timers.registerProcessingTimeTimer(undefined, 30)
    timers.deleteProcessingTimeTimer(undefined, 10)
    expect(timers.physicalTimerMs()).toBe(10)
    clock.advance(10)
    expect([timesDue(), timers.pollDueProcessingTimer(), fired.length, timers.physicalTimerMs()]).toEqual([
      1,
      false,
      0,
      30,
    ])
  })

  test('fires no more after close', () => {
    const { backend, clock, timers, timesDue } = operator()
    backend.setCurrentKey('k')
    timers.registerProcessingTimeTimer(undefined, 10)
    timers.close()
    timers.pollDueProcessingTimer()
    timers.registerProcessingTimeTimer(undefined, 5)
    clock.advance(100)
    expect([timesDue(), clock.nextDeadlineMs()]).toEqual([0, undefined])
  })
})

describe('timers are state', () => {
  test('a snapshot holds those that were set at its freeze, whatever fires, comes and goes while it walks', () => {
    const { backend, clock, timers } = operator()
    for (let i = 0; i < 50; i++) {
      backend.setCurrentKey(`k${i % 10}`)
      timers.registerEventTimeTimer([i], i)
      timers.registerProcessingTimeTimer(undefined, 100 + i)
    }
    const frozen = backend.freeze(1)
    frozen.step(3)
    for (let i = 0; i < 10; i++) {
      backend.setCurrentKey(`k${i}`)
      timers.registerEventTimeTimer('late', 30)
      timers.registerProcessingTimeTimer('late', 300)
    }
    while (timers.pollDueEventTimer(20));
    for (let i = 0; i < 10; i++) {
      backend.setCurrentKey(`k${i}`)
      timers.deleteProcessingTimeTimer(undefined, 100 + i)
      timers.registerEventTimeTimer([999], 999)
    }
    const other = restoredOperator(finishSnapshot(frozen), WHOLE, clock)
    expect([
      other.timers.numEventTimeTimers(),
      other.timers.numProcessingTimeTimers(),
      other.timers.physicalTimerMs(),
    ]).toEqual([50, 50, 100])
    while (other.timers.pollDueEventTimer(1000));
    expect(other.fired.map(({ timestamp, namespace, key }) => [timestamp, namespace, key])).toEqual(
      Array.from({ length: 50 }, (_, i) => [i, [i], `k${i % 10}`]),
    )
  })

  test('they go with their keys at another parallelism', () => {
    const { backend, timers } = operator()
    const keys = Array.from({ length: 100 }, (_, i) => `key-${i}`)
    for (const key of keys) {
      backend.setCurrentKey(key)
      timers.registerEventTimeTimer(undefined, 1)
    }
    const bytes = keyedSnapshot(backend, 1)
    const parts = keyGroupRanges(MAX_PARALLELISM, 3).map((keyGroups) => {
      const part = restoredOperator(bytes, keyGroups)
      while (part.timers.pollDueEventTimer(1));
      for (const { key } of part.fired) {
        expect(keyGroupOf(key, MAX_PARALLELISM)).toBeGreaterThanOrEqual(keyGroups.first)
        expect(keyGroupOf(key, MAX_PARALLELISM)).toBeLessThanOrEqual(keyGroups.last)
      }
      return part.fired.map(({ key }) => key)
    })
    expect(parts.flat().sort()).toEqual([...keys].sort())
  })

  test("they do not meet a user's state of the same name", () => {
    const { backend } = operator()
    backend.setCurrentKey('k')
    const state = backend.getState(new ValueStateDescriptor<number>('timers/event'))
    state.update(1)
    expect(state.value()).toBe(1)
  })
})

describe('any sequence of setting, deleting and advancing', () => {
  test('fires what a sorted list fires', () => {
    const time = fc.integer({ min: -3, max: 20 })
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('set'), key: fc.nat(3), namespace: fc.nat(2), time }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('delete'), key: fc.nat(3), namespace: fc.nat(2), time }) },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constantFrom('advance', 'restore'),
          key: fc.constant(0),
          namespace: fc.constant(0),
          time,
        }),
      },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        let subject = operator()
        const model = new Map<string, number>()
        for (const { do: what, key, namespace, time } of steps) {
          const name = `${key} ${namespace} ${time}`
          if (what === 'restore') subject = restoredOperator(keyedSnapshot(subject.backend, 1))
          else if (what === 'advance') {
            subject.fired.length = 0
            while (subject.timers.pollDueEventTimer(time));
            const due = [...model].filter(([, timestamp]) => timestamp <= time)
            for (const [gone] of due) model.delete(gone)
            const times = subject.fired.map(({ timestamp }) => timestamp)
            expect(times).toEqual([...times].sort((a, b) => a - b))
            expect(subject.fired.map((timer) => `${timer.key} ${timer.namespace} ${timer.timestamp}`).sort()).toEqual(
              due.map(([gone]) => gone).sort(),
            )
          } else {
            subject.backend.setCurrentKey(key)
            if (what === 'set') {
              subject.timers.registerEventTimeTimer(namespace, time)
              model.set(name, time)
            } else {
              subject.timers.deleteEventTimeTimer(namespace, time)
              model.delete(name)
            }
          }
          expect(subject.timers.numEventTimeTimers()).toBe(model.size)
        }
      }),
      { numRuns: 300, seed: 1 },
    )
  })
})
