import { describe, expect, test } from 'vitest'
import type { Barrier, Permission } from '#machines/alignment-vocabulary'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import {
  type AlignmentDeps,
  type AlignmentHosting,
  hostAlignment,
} from '../../../../src/runtime/control/barrier-alignment.ts'

const barrier = (checkpointId: number, mode: Barrier['mode']): Barrier => ({
  checkpointId,
  timestamp: 0,
  kind: 'checkpoint',
  mode,
})

/** A subtask whose calls are noted as words; barriers were created at 0 and may be aligned for 50 ms. */
function subtask(hosting: Partial<Omit<AlignmentHosting, 'deps'>> = {}, deps: Partial<AlignmentDeps> = {}) {
  const calls: string[] = []
  const clock = new VirtualClock()
  const granted: { permission: Permission } = { permission: { standstill: true, held: [] } }
  const timers: (() => void)[] = []
  const note = (what: string) => void calls.push(what)
  const host = hostAlignment({
    id: 'job/count-0#1/alignment',
    mode: 'EXACTLY_ONCE',
    channels: 2,
    checkpointsAfterTasksFinish: true,
    alignedTimeoutMs: 50,
    unaligned: {
      clock: {
        setTimer: (delayMs, fired) => {
          note(`timer ${delayMs}`)
          timers.push(fired)
          return clock.setTimer(delayMs, fired)
        },
      },
      prioritiseBarrier: (channel, sequence) => note(`prioritise ${channel} ${sequence}`),
      startCapture: (id, channels) =>
        note(`capture ${id} ${channels.map(({ channel, upTo }) => `${channel}<${upTo}`).join()}`),
      endChannelCapture: (id, channel, upTo) => note(`end ${id} ${channel}<${upTo}`),
      finishCapture: (id, alignmentMs) => note(`captured ${id} after ${alignmentMs} ms`),
      dropCapture: (id) => note(`drop ${id}`),
    },
    ...hosting,
    deps: {
      permit: (permission) => {
        granted.permission = permission
      },
      prepareOperators: ({ checkpointId }) => note(`prepare ${checkpointId}`),
      forwardBarrier: ({ checkpointId, mode }) => note(`barrier ${checkpointId} ${mode}`),
      takeSnapshot: ({ barrier }) => note(`snapshot ${barrier.checkpointId}`),
      declined: ({ checkpointId, reason }) => note(`declined ${checkpointId} ${reason}`),
      forwardCancellation: (checkpointId) => note(`cancellation ${checkpointId}`),
      causeOf: () => undefined,
      startMeasuring: () => {},
      endMeasuring: () => {},
      nowMs: () => clock.now(),
      failed: (cause) => note(`failed ${cause.message}`),
      ...deps,
    },
  })
  host.start()
  return {
    host,
    clock,
    timers,
    permission: () => granted.permission,
    /** What was called since the last question. */
    calls: () => calls.splice(0),
    arrive: (channel: number, checkpointId: number, mode: Barrier['mode'], sequence = 7) =>
      host.send({ type: 'barrier.arrived', channel, barrier: barrier(checkpointId, mode), sequence }),
    announce: (channel: number, checkpointId: number, sequence = 7) =>
      host.send({ type: 'announcement.arrived', channel, barrier: barrier(checkpointId, 'timeoutable'), sequence }),
  }
}

/** An answer that is given from outside; settled a turn later. */
function answer() {
  let done = () => {}
  const promise = new Promise<void>((resolve) => {
    done = resolve
  })
  return {
    promise,
    async done() {
      done()
      await promise
      await Promise.resolve()
    },
  }
}

describe('the timer of an alignment', () => {
  test('is set by the first announcement to what is left of the time since the trigger, and then moves barriers ahead', () => {
    const { clock, announce, arrive, calls } = subtask()
    clock.advance(20)
    announce(0, 1, 3)
    announce(1, 1, 4)
    expect(calls()).toEqual(['timer 30'])
    clock.advance(29)
    expect(calls()).toEqual([])
    clock.advance(1)
    expect(calls()).toEqual(['prioritise 0 3', 'prioritise 1 4'])
    arrive(1, 1, 'unaligned', 4)
    expect(calls()).toEqual(['prepare 1', 'barrier 1 unaligned', 'capture 1 1<4,0<null', 'snapshot 1'])
    clock.advance(5)
    arrive(0, 1, 'unaligned', 3)
    expect(calls()).toEqual(['end 1 0<3', 'captured 1 after 5 ms'])
  })

  test('is due at once where the time is over already', () => {
    const { clock, announce, calls } = subtask()
    clock.advance(500)
    announce(0, 1)
    expect(calls()).toEqual(['timer 0'])
  })

  test.each(['aligned', 'closed', 'stopped'] as const)('is gone when the subtask is %s', (end) => {
    const { host, clock, arrive, calls } = subtask()
    arrive(0, 1, 'timeoutable')
    expect(clock.nextDeadlineMs()).toBe(50)
    if (end === 'aligned') arrive(1, 1, 'timeoutable')
    if (end === 'closed') host.send({ type: 'input.closed' })
    if (end === 'stopped') host.stop()
    expect(clock.nextDeadlineMs()).toBeUndefined()
    calls()
    clock.advance(100)
    expect(calls()).toEqual([])
  })

  test('that fires although it was cancelled changes nothing, for its own checkpoint or the next', () => {
    const { timers, arrive, calls, permission } = subtask()
    arrive(0, 1, 'timeoutable')
    arrive(1, 1, 'timeoutable')
    timers[0]?.()
    arrive(0, 2, 'timeoutable')
    timers[0]?.()
    expect(calls()).toEqual(['timer 50', 'prepare 1', 'barrier 1 timeoutable', 'snapshot 1', 'timer 50'])
    expect(permission()).toEqual({ standstill: false, held: [true, false] })
  })

  test('is not set for a barrier that was forced to be aligned, but for the first one that may time out', () => {
    const { arrive, clock, calls } = subtask({ channels: 3 })
    arrive(0, 1, 'forcedAligned')
    clock.advance(10)
    expect(calls()).toEqual([])
    arrive(1, 1, 'timeoutable')
    expect(calls()).toEqual(['timer 40'])
    clock.advance(40)
    expect(calls()).toEqual(['prepare 1', 'barrier 1 unaligned', 'capture 1 2<null', 'snapshot 1'])
  })
})

describe('what is captured', () => {
  test('is complete with the snapshot where all barriers are here already', () => {
    const { arrive, calls } = subtask({ channels: 1 })
    arrive(0, 1, 'unaligned', 5)
    expect(calls()).toEqual([
      'prepare 1',
      'barrier 1 unaligned',
      'capture 1 0<5',
      'snapshot 1',
      'captured 1 after 0 ms',
    ])
  })

  test('is nothing of a barrier that comes in its place, even forced; its channel is held to the end', () => {
    const { arrive, calls, permission } = subtask({ channels: 3, alignedTimeoutMs: 0 })
    arrive(0, 1, 'forcedAligned')
    arrive(1, 1, 'unaligned', 5)
    expect(calls()).toEqual(['prepare 1', 'barrier 1 unaligned', 'capture 1 1<5,2<null', 'snapshot 1'])
    expect(permission()).toEqual({ standstill: false, held: [true, false, false] })
    arrive(2, 1, 'forcedAligned', 9)
    expect(calls()).toEqual(['end 1 2<9', 'captured 1 after 0 ms'])
    expect(permission().held).toEqual([false, false, false])
  })

  test.each([
    [0, 'unaligned'],
    [50, 'timeoutable'],
  ])(
    'is nothing at all where every edge forces barriers to be aligned; timeout %i: they leave %s',
    (alignedTimeoutMs, mode) => {
      const { arrive, calls } = subtask({ alignedTimeoutMs })
      arrive(0, 1, 'forcedAligned')
      arrive(1, 1, 'forcedAligned')
      expect(calls()).toEqual(['prepare 1', `barrier 1 ${mode}`, 'snapshot 1'])
    },
  )

  test('is nothing where the coordinator triggers directly', () => {
    const { host, calls } = subtask({ alignedTimeoutMs: 0 })
    host.send({ type: 'checkpoint.triggered', barrier: barrier(1, 'unaligned') })
    expect(calls()).toEqual(['prepare 1', 'barrier 1 unaligned', 'snapshot 1'])
  })

  test('is dropped without a decline of its own by the cancellation of a newer checkpoint', () => {
    const { host, arrive, calls } = subtask()
    arrive(0, 1, 'unaligned')
    calls()
    host.send({ type: 'cancellation.arrived', channel: 1, checkpointId: 2 })
    expect(calls()).toEqual(['drop 1', 'declined 2 CHECKPOINT_DECLINED_ON_CANCELLATION_BARRIER', 'cancellation 2'])
  })

  test('is dropped by a newer barrier, which begins anew', () => {
    const { arrive, calls, permission } = subtask()
    arrive(0, 1, 'unaligned')
    calls()
    arrive(1, 2, 'timeoutable')
    expect(calls()).toEqual(['drop 1', 'timer 50', 'declined 1 CHECKPOINT_DECLINED_SUBSUMED', 'cancellation 1'])
    expect(permission()).toEqual({ standstill: false, held: [false, true] })
  })

  test('is dropped when the coordinator gives up', () => {
    const { host, arrive, calls } = subtask()
    arrive(0, 1, 'unaligned')
    calls()
    host.send({ type: 'checkpoint.aborted', checkpointId: 1 })
    expect(calls()).toEqual(['drop 1', 'cancellation 1'])
  })

  test('is dropped when the coordinator gave up while the state was frozen', async () => {
    const freezing = answer()
    const { host, arrive, calls, permission } = subtask({}, { takeSnapshot: () => freezing.promise })
    arrive(0, 1, 'timeoutable')
    arrive(1, 1, 'unaligned')
    host.send({ type: 'checkpoint.aborted', checkpointId: 1 })
    calls()
    await freezing.done()
    expect(calls()).toEqual(['drop 1', 'cancellation 1'])
    expect(permission()).toEqual({ standstill: false, held: [false, false] })
  })

  test('is complete only when the state is frozen, although the last barrier came before', async () => {
    const freezing = answer()
    const { arrive, calls, clock } = subtask({}, { takeSnapshot: () => freezing.promise })
    arrive(0, 1, 'unaligned', 5)
    clock.advance(8)
    arrive(1, 1, 'unaligned', 6)
    clock.advance(8)
    expect(calls()).toEqual(['prepare 1', 'barrier 1 unaligned', 'capture 1 0<5,1<null'])
    await freezing.done()
    expect(calls()).toEqual(['end 1 1<6', 'captured 1 after 8 ms'])
  })

  test('is dropped when the state cannot be frozen: declined, and downstream goes on', () => {
    const refuse = () => {
      throw new Error('refused')
    }
    const { arrive, calls, permission } = subtask({}, { takeSnapshot: refuse })
    arrive(0, 1, 'timeoutable')
    arrive(1, 1, 'unaligned', 5)
    expect(calls().slice(1)).toEqual([
      'prepare 1',
      'barrier 1 unaligned',
      'capture 1 1<5',
      'drop 1',
      'declined 1 CHECKPOINT_DECLINED',
    ])
    expect(permission()).toEqual({ standstill: false, held: [false, false] })
  })

  test('is nothing where operators cannot prepare: declined, a marker in the place of the barrier', () => {
    const refuse = () => {
      throw new Error('refused')
    }
    const { arrive, calls, permission } = subtask({}, { prepareOperators: refuse })
    arrive(0, 1, 'timeoutable')
    arrive(1, 1, 'unaligned', 5)
    expect(calls().slice(1)).toEqual(['declined 1 CHECKPOINT_DECLINED', 'cancellation 1'])
    expect(permission()).toEqual({ standstill: false, held: [false, false] })
  })
})
