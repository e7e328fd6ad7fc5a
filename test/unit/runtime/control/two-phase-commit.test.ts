import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import type { CommitRequest } from '../../../../src/operators/sink.ts'
import { END_OF_INPUT } from '../../../../src/operators/transactions.ts'
import { causes } from '../../../../src/runtime/control/causes.ts'
import { type TwoPhaseCommitDeps, twoPhaseCommit } from '../../../../src/runtime/control/two-phase-commit.ts'

interface Call {
  readonly what: readonly string[]
  readonly requests: readonly CommitRequest<string>[]
  answer(): void
  refuse(thrown: unknown): void
}

/** A sink whose commits answer when the test lets them. */
function sink(options: Partial<TwoPhaseCommitDeps<string>> = {}) {
  const clock = new VirtualClock()
  const calls: Call[] = []
  const aborted: string[] = []
  const committed: [string, number][] = []
  const transactions = twoPhaseCommit<string>({
    id: 'job/sink-0#1/transactions',
    clock,
    causes: causes(),
    retries: 10,
    commitTimeoutMs: 60_000,
    checkpointing: true,
    commit: (requests) =>
      new Promise<void>((answer, refuse) =>
        calls.push({ what: requests.map(({ committable }) => committable), requests, answer, refuse }),
      ),
    abort: (transaction) => void aborted.push(transaction),
    committed: (committable, checkpointId) => void committed.push([committable, checkpointId]),
    failed: (broken) => {
      throw broken
    },
    ...options,
  })
  return { clock, calls, aborted, committed, transactions, what: () => calls.map(({ what }) => what.join()) }
}

const settled = async () => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

/** `'pending'`, `'resolved'` or what it was rejected with. */
function watch(promise: Promise<void>) {
  const seen: { now: unknown } = { now: 'pending' }
  promise.then(
    () => (seen.now = 'resolved'),
    (thrown) => (seen.now = thrown),
  )
  return seen
}

describe('the commits of a sink', () => {
  test('run one at a time, in the order of checkpoint ids, while further transactions are pre-committed', async () => {
    const { transactions, calls, what, committed } = sink()
    transactions.preCommit(1, ['a'])
    transactions.preCommit(2, ['b', 'c'])
    const two = watch(transactions.complete(2))
    expect(what()).toEqual(['a'])
    transactions.preCommit(3, ['d'])
    const three = watch(transactions.complete(3))
    calls[0]?.answer()
    await settled()
    expect(what()).toEqual(['a', 'b,c'])
    expect([two.now, three.now]).toEqual(['pending', 'pending'])
    calls[1]?.answer()
    await settled()
    expect(what()).toEqual(['a', 'b,c', 'd'])
    expect([two.now, three.now]).toEqual(['resolved', 'pending'])
    calls[2]?.answer()
    await settled()
    expect(three.now).toBe('resolved')
    expect(committed).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 2],
      ['d', 3],
    ])
  })

  test('leave a committable in every snapshot until they have answered', async () => {
    const { transactions, calls, clock } = sink()
    clock.skip(77)
    transactions.preCommit(1, ['a'])
    transactions.preCommit(2, ['b'])
    transactions.complete(1)
    expect(transactions.pending()).toEqual([
      { checkpointId: 1, committable: 'a', startedAtMs: 77 },
      { checkpointId: 2, committable: 'b', startedAtMs: 77 },
    ])
    calls[0]?.answer()
    await settled()
    expect(transactions.pending().map(({ committable }) => committable)).toEqual(['b'])
  })

  test('that need no promise are done when complete returns', () => {
    const { transactions, committed } = sink({ commit: () => {} })
    transactions.preCommit(1, ['a'])
    transactions.preCommit(2, ['b'])
    transactions.complete(2)
    expect(committed).toEqual([
      ['a', 1],
      ['b', 2],
    ])
  })

  test('try again at once what asks for it, and count how often it was tried', async () => {
    const tries: [string, number][] = []
    const { transactions } = sink({
      commit(requests) {
        for (const request of requests) {
          tries.push([request.committable, request.attempt])
          if (request.committable === 'a' && request.attempt < 2) request.retryLater()
          if (request.committable === 'b') request.alreadyCommitted()
        }
      },
    })
    transactions.preCommit(1, ['a', 'b'])
    await transactions.complete(1)
    expect(tries).toEqual([
      ['a', 0],
      ['b', 0],
      ['a', 1],
      ['a', 2],
    ])
    expect(transactions.pending()).toEqual([])
  })

  test('give up after the retries, with ten retries after eleven tries', async () => {
    let tries = 0
    const { transactions } = sink({
      commit(requests) {
        tries += 1
        for (const request of requests) request.retryLater()
      },
    })
    transactions.preCommit(1, ['a'])
    await expect(transactions.complete(1)).rejects.toMatchObject({ code: 'COMMIT_FAILED', restartHelps: true })
    expect(tries).toBe(11)
  })

  test('fail with the very object that the committer threw, after the others were made', async () => {
    const boom = new RangeError('boom')
    const { transactions, committed } = sink({
      commit(requests) {
        if (requests[0]?.committable === 'b') throw boom
      },
    })
    for (const [index, each] of ['a', 'b', 'c'].entries()) transactions.preCommit(index + 1, [each])
    await expect(transactions.complete(3)).rejects.toBe(boom)
    expect(committed.map(([each]) => each)).toEqual(['a', 'c'])
    expect(transactions.pending().map(({ committable }) => committable)).toEqual(['b'])
  })

  test('fail with the reason that a request was given, and keep only that request', async () => {
    const reason = new RangeError('name is taken')
    const { transactions, committed } = sink({ commit: (requests) => requests[0]?.failed(reason) })
    transactions.preCommit(1, ['a', 'b'])
    await expect(transactions.complete(1)).rejects.toBe(reason)
    expect(committed.map(([each]) => each)).toEqual(['b'])
    expect(transactions.pending().map(({ committable }) => committable)).toEqual(['a'])
  })

  test('fail when they do not answer in time; no other commit begins and a late answer changes nothing', async () => {
    const { transactions, clock, calls, committed, what } = sink()
    transactions.preCommit(1, ['a'])
    transactions.preCommit(2, ['b'])
    const one = watch(transactions.complete(1))
    clock.advance(59_999)
    await settled()
    expect(one.now).toBe('pending')
    clock.advance(1)
    await settled()
    expect(one.now).toMatchObject({ code: 'COMMIT_TIMED_OUT' })
    transactions.complete(2)
    calls[0]?.answer()
    await settled()
    expect(what()).toEqual(['a'])
    expect(committed).toEqual([])
    expect(transactions.pending()).toHaveLength(2)
  })

  test('leave no timer behind', async () => {
    const { transactions, clock, calls } = sink()
    transactions.preCommit(1, ['a'])
    transactions.complete(1)
    calls[0]?.answer()
    await settled()
    expect(clock.nextDeadlineMs()).toBeUndefined()
  })

  test('of an older notification that comes late, or of the same one again, are none', async () => {
    const { transactions, what } = sink({ commit: undefined as never })
    await transactions.complete(5)
    await transactions.complete(4)
    expect(what()).toEqual([])
  })
})

describe('a restored sink', () => {
  test('commits by checkpoint id, what several subtasks left with one checkpoint each on its own', async () => {
    const { transactions, calls, what } = sink()
    const restored = watch(
      transactions.restored([
        { checkpointId: 2, committable: 'c', startedAtMs: 5 },
        { checkpointId: 1, committable: 'a', startedAtMs: 1 },
        { checkpointId: 1, committable: 'b', startedAtMs: 1 },
        { checkpointId: 1, committable: 'x', startedAtMs: 2 },
      ]),
    )
    for (let call = 0; call < 3; call++) {
      expect(restored.now).toBe('pending')
      calls[call]?.answer()
      await settled()
    }
    expect(what()).toEqual(['a,b', 'x', 'c'])
    expect(restored.now).toBe('resolved')
  })

  test('aborts what stood open in the checkpoint', async () => {
    const { transactions, aborted } = sink()
    await transactions.restored([], ['open'])
    expect(aborted).toEqual(['open'])
  })

  test('gives up a transaction older than the limit, and says so', async () => {
    const expired: unknown[] = []
    const boom = new RangeError('gone')
    const { transactions, clock } = sink({
      ignoreFailuresAfterMs: 500,
      commit() {
        throw boom
      },
      expired: (checkpointId, cause) => expired.push([checkpointId, cause]),
    })
    clock.skip(501)
    await transactions.restored([{ checkpointId: 1, committable: 'a', startedAtMs: 0 }])
    expect(expired).toEqual([[1, boom]])
    expect(transactions.pending()).toEqual([])
  })
})

describe('a sink with one open transaction', () => {
  test('refuses a second open one: that is a defect', () => {
    const { transactions } = sink()
    transactions.begin('a')
    expect(() => transactions.begin('b')).toThrow(expect.objectContaining({ code: 'INTERNAL' }))
  })

  test('when closed aborts the open one and nothing else, and waits for the commit under way', async () => {
    const { transactions, calls, aborted, what } = sink()
    for (const [index, each] of ['a', 'b', 'c'].entries()) {
      transactions.begin(each)
      transactions.preCommitOpen(index + 1)
    }
    transactions.begin('open')
    const two = watch(transactions.complete(2))
    const closed = watch(transactions.close())
    await settled()
    expect([aborted, closed.now]).toEqual([['open'], 'pending'])
    calls[0]?.answer()
    await settled()
    expect(closed.now).toBe('resolved')
    expect(what()).toEqual(['a'])
    expect(two.now).toMatchObject({ code: 'COMMIT_FAILED', message: 'The sink was closed before its commit.' })
  })

  test('passes on that an abort failed', async () => {
    const boom = new RangeError('no')
    const { transactions } = sink({ abort: () => Promise.reject(boom) })
    transactions.begin('open')
    await expect(transactions.close()).rejects.toBe(boom)
  })
})

describe('the end of the input', () => {
  test('commits everything without checkpoints', async () => {
    const { transactions, committed } = sink({ checkpointing: false, commit: () => {} })
    transactions.preCommit(1, ['a'])
    transactions.preCommit(END_OF_INPUT, ['b'])
    await transactions.endInput()
    expect(committed.map(([each]) => each)).toEqual(['a', 'b'])
  })

  test('commits nothing with checkpoints: the final one does', async () => {
    const { transactions, what } = sink()
    transactions.preCommit(1, ['a'])
    await transactions.endInput()
    expect(what()).toEqual([])
  })
})

describe('errors that nobody waits for', () => {
  test('are no unhandled rejections', async () => {
    const unhandled: unknown[] = []
    const note = (thrown: unknown) => unhandled.push(thrown)
    process.on('unhandledRejection', note)
    const { transactions } = sink({
      commit: () => Promise.reject(new RangeError('boom')),
      abort: () => Promise.reject(new RangeError('no')),
    })
    transactions.preCommit(1, ['a'])
    transactions.complete(1)
    transactions.restored([{ checkpointId: 2, committable: 'b', startedAtMs: 0 }], ['open'])
    await settled()
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', note)
    expect(unhandled).toEqual([])
  })
})
