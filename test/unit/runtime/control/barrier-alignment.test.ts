import { describe, expect, test, vi } from 'vitest'
import type { Barrier, Permission } from '#machines/alignment-vocabulary'
import {
  type AlignmentDeps,
  type AlignmentHosting,
  hostAlignment,
} from '../../../../src/runtime/control/barrier-alignment.ts'

const barrier = (checkpointId: number, timestamp = 0): Barrier => ({
  checkpointId,
  timestamp,
  kind: 'checkpoint',
  mode: 'aligned',
})

/** A subtask whose calls are noted as words; `deps` replaces some of them. */
function subtask(hosting: Partial<Omit<AlignmentHosting, 'deps'>> = {}, deps: Partial<AlignmentDeps> = {}) {
  const calls: string[] = []
  const now = { ms: 0 }
  const granted: { permission: Permission } = { permission: { standstill: true, held: [] } }
  const note = (what: string) => void calls.push(what)
  const host = hostAlignment({
    id: 'job/count-0#1/alignment',
    mode: 'EXACTLY_ONCE',
    channels: 2,
    checkpointsAfterTasksFinish: true,
    ...hosting,
    deps: {
      permit: (permission) => {
        granted.permission = permission
      },
      prepareOperators: ({ checkpointId }) => note(`prepare ${checkpointId}`),
      forwardBarrier: ({ checkpointId }) => note(`barrier ${checkpointId}`),
      takeSnapshot: ({ barrier, alignmentMs, startDelayMs }) =>
        note(`snapshot ${barrier.checkpointId} after ${startDelayMs}+${alignmentMs} ms`),
      declined: ({ checkpointId, reason, message }) =>
        note(`declined ${checkpointId} ${reason} ${message ?? ''}`.trim()),
      forwardCancellation: (checkpointId) => note(`cancellation ${checkpointId}`),
      causeOf: () => undefined,
      startMeasuring: () => {},
      endMeasuring: () => {},
      nowMs: () => now.ms,
      failed: (cause) => note(`failed ${cause.message}`),
      ...deps,
    },
  })
  host.start()
  return {
    host,
    calls,
    now,
    permission: () => granted.permission,
    arrive: (channel: number, checkpointId: number, timestamp?: number) =>
      host.send({ type: 'barrier.arrived', channel, barrier: barrier(checkpointId, timestamp) }),
    trigger: (checkpointId: number) => host.send({ type: 'checkpoint.triggered', barrier: barrier(checkpointId) }),
    abort: (checkpointId: number) => host.send({ type: 'checkpoint.aborted', checkpointId }),
  }
}

/** A promise that is settled from outside. */
function answer() {
  let done: () => void = () => {}
  let refuse: (cause: Error) => void = () => {}
  const promise = new Promise<void>((resolve, reject) => {
    done = resolve
    refuse = reject
  })
  const settled = () => promise.then(nothing, nothing).then(nothing)
  return {
    promise,
    done() {
      done()
      return settled()
    },
    refuse(cause: Error) {
      refuse(cause)
      return settled()
    },
  }
}
const nothing = () => {}

describe('the host of a barrier alignment', () => {
  test('grants from the start: nothing stands still, nothing is held', () => {
    expect(subtask().permission()).toEqual({ standstill: false, held: [false, false] })
  })

  test('does everything within the call that brings the last barrier when the operators answer with a value', () => {
    const { arrive, calls, permission } = subtask()
    arrive(0, 1)
    expect(permission()).toEqual({ standstill: false, held: [true, false] })
    arrive(1, 1)
    expect(calls).toEqual(['prepare 1', 'barrier 1', 'snapshot 1 after 0+0 ms'])
    expect(permission()).toEqual({ standstill: false, held: [false, false] })
  })

  test('stands still while operators prepare, before they are even asked', async () => {
    const prepared = answer()
    let standstillWhenAsked = false
    const one = subtask(
      {},
      {
        prepareOperators: () => {
          standstillWhenAsked = one.permission().standstill
          return prepared.promise
        },
      },
    )
    one.arrive(0, 1)
    one.arrive(1, 1)
    expect(standstillWhenAsked).toBe(true)
    expect(one.permission().standstill).toBe(true)
    expect(one.calls).toEqual([])
    await prepared.done()
    expect(one.calls).toEqual(['barrier 1', 'snapshot 1 after 0+0 ms'])
    expect(one.permission().standstill).toBe(false)
  })

  test('stamps facts with the clock: delay from the trigger, and time from first to last barrier', () => {
    const { arrive, calls, now } = subtask()
    now.ms = 105
    arrive(0, 1, 100)
    now.ms = 117
    arrive(1, 1, 100)
    expect(calls.at(-1)).toBe('snapshot 1 after 5+12 ms')
  })

  test('declines what throws or rejects while operators prepare, and a cancellation takes the place of the barrier', async () => {
    const prepared = answer()
    const thrown = subtask(
      {},
      {
        prepareOperators: () => {
          throw new Error('sink is gone')
        },
      },
    )
    const rejected = subtask({}, { prepareOperators: () => prepared.promise })
    for (const one of [thrown, rejected]) {
      one.arrive(0, 1)
      one.arrive(1, 1)
    }
    await prepared.refuse(new Error('sink is gone'))
    for (const one of [thrown, rejected]) {
      expect(one.calls).toEqual(['declined 1 CHECKPOINT_DECLINED sink is gone', 'cancellation 1'])
      expect(one.permission()).toEqual({ standstill: false, held: [false, false] })
    }
  })

  test('declines a snapshot that throws, but the barrier has left', () => {
    const one = subtask(
      {},
      {
        takeSnapshot: () => {
          throw new Error('not serialisable')
        },
      },
    )
    one.arrive(0, 1)
    one.arrive(1, 1)
    expect(one.calls).toEqual(['prepare 1', 'barrier 1', 'declined 1 CHECKPOINT_DECLINED not serialisable'])
    expect(one.permission().standstill).toBe(false)
  })

  test('sends a cancellation for what the coordinator aborted before, while and after its barriers came', async () => {
    const prepared = answer()
    const one = subtask({}, { prepareOperators: () => prepared.promise })
    one.abort(1)
    one.arrive(0, 1)
    expect(one.calls.splice(0)).toEqual(['cancellation 1'])
    one.arrive(1, 1)

    one.arrive(0, 2)
    one.abort(2)
    expect(one.calls.splice(0)).toEqual(['cancellation 2'])
    expect(one.permission().held).toEqual([false, false])
    one.arrive(1, 2)

    one.arrive(0, 3)
    one.arrive(1, 3)
    one.abort(3)
    expect(one.permission().standstill).toBe(true)
    await prepared.done()
    expect(one.calls).toEqual(['cancellation 3'])
    expect(one.permission().standstill).toBe(false)
  })

  test.each(['EXACTLY_ONCE', 'AT_LEAST_ONCE'] as const)('remembers 128 early aborts: %s', (mode) => {
    const { abort, arrive, calls } = subtask({ mode, channels: 1 })
    for (let id = 0; id <= 128; id++) abort(id)
    for (let id = 0; id <= 129; id++) arrive(0, id)
    const snapshots = calls.filter((call) => call.startsWith('snapshot'))
    expect(snapshots).toEqual(['snapshot 0 after 0+0 ms', 'snapshot 129 after 0+0 ms'])
    expect(calls.filter((call) => call.startsWith('cancellation'))).toHaveLength(128)
  })

  test.each(['EXACTLY_ONCE', 'AT_LEAST_ONCE'] as const)(
    'a source keeps triggers that come while it prepares: %s',
    async (mode) => {
      const first = answer()
      const second = answer()
      const answers = [first.promise, second.promise]
      const one = subtask({ mode, channels: 0 }, { prepareOperators: () => answers.shift() ?? undefined })
      one.trigger(1)
      one.trigger(2)
      one.trigger(3)
      one.abort(3)
      await first.done()
      expect(one.calls).toEqual(['barrier 1', 'snapshot 1 after 0+0 ms'])
      expect(one.permission().standstill).toBe(true)
      await second.done()
      expect(one.calls.slice(2)).toEqual(['barrier 2', 'snapshot 2 after 0+0 ms', 'cancellation 3'])
      expect(one.permission().standstill).toBe(false)
    },
  )

  test('a direct trigger completes the alignment of a subtask with open channels and holds none', () => {
    const { trigger, calls, permission, arrive } = subtask({ channels: 3 })
    arrive(1, 4)
    trigger(4)
    expect(calls).toEqual(['prepare 4', 'barrier 4', 'snapshot 4 after 0+0 ms'])
    expect(permission().held).toEqual([false, false, false])
    arrive(0, 4)
    expect(permission().held).toEqual([false, false, false])
  })

  test('at least once, a direct trigger passes over what was followed, and its own late barriers', () => {
    const { trigger, arrive, calls, host } = subtask({ mode: 'AT_LEAST_ONCE' })
    arrive(0, 4)
    trigger(5)
    arrive(1, 4)
    arrive(0, 5)
    expect(calls.at(-1)).toBe('snapshot 5 after 0+0 ms')
    expect(host.pendingIds()).toEqual([])
  })

  test('at least once, the fifty newest ids are followed, and no channel is held', () => {
    const { arrive, calls, host, permission } = subtask({ mode: 'AT_LEAST_ONCE' })
    for (let id = 1; id <= 60; id++) arrive(0, id)
    expect(host.pendingIds()).toEqual(Array.from({ length: 50 }, (_, index) => index + 11))
    expect(permission().held).toEqual([false, false])
    arrive(1, 10)
    expect(calls).toEqual([])
    arrive(1, 60)
    expect(calls.at(-1)).toBe('snapshot 60 after 0+0 ms')
    expect(host.pendingIds()).toEqual([])
  })

  test('hears nothing more once it is closed or stopped, late answers included', async () => {
    const printed = vi.spyOn(console, 'warn')
    const prepared = answer()
    const one = subtask({}, { prepareOperators: () => prepared.promise })
    one.arrive(0, 1)
    one.arrive(1, 1)
    one.host.send({ type: 'input.closed' })
    await prepared.done()
    one.arrive(0, 2)
    expect(one.calls).toEqual([])
    expect(one.permission().standstill).toBe(true)

    const other = subtask()
    other.host.stop()
    other.arrive(0, 1)
    other.arrive(1, 1)
    expect(other.calls).toEqual([])
    expect(printed).not.toHaveBeenCalled()
    printed.mockRestore()
  })
})
