/**
 * Replays what happened to an exactly-once sink against the real two-phase commit: the sink and the outside system are
 * made of plain lists here, everything that decides is the runtime's.
 */
import type { ErrorCode } from '../base/error-codes.ts'
import { StreamError } from '../base/errors.ts'
import { VirtualClock } from '../base/virtual-clock.ts'
import type { CommitRequest } from '../operators/sink.ts'
import type { PendingCommittable, Transactions } from '../operators/transactions.ts'
import { causes } from '../runtime/control/causes.ts'
import { twoPhaseCommit } from '../runtime/control/two-phase-commit.ts'

interface Common {
  readonly steps: readonly string[]
}

export interface TransactionsTrace extends Common {
  readonly kind: 'transactions'
  readonly transactionTimeoutMs?: number | undefined
  readonly ignoreFailuresAfterTransactionTimeout?: boolean | undefined
}

export interface CommittablesTrace extends Common {
  readonly kind: 'committables'
  /** 10 when left out. */
  readonly retries?: number | undefined
  /** True when left out. */
  readonly checkpointing?: boolean | undefined
  readonly batch?: boolean | undefined
  /** 0 when left out. */
  readonly subtask?: number | undefined
}

export type TwoPhaseCommitTrace = TransactionsTrace | CommittablesTrace

export interface TwoPhaseCommitOutcome {
  /** Values in the order in which they became visible. */
  readonly committed: readonly string[]
  /** The same after each step. */
  readonly committedAfter: Readonly<Record<string, readonly string[]>>
  /** Steps that failed the task. */
  readonly errors: readonly number[]
  /** Transactions neither committed nor aborted at the end. */
  readonly openTransactions: number
  /** Committables passed on after their commit: value, checkpoint id, subtask. */
  readonly output: readonly (readonly [string, number, number])[]
}

const COMMIT_TIMEOUT_MS = 60_000
const RETRIES = 10
const COMMIT_ERRORS: readonly ErrorCode[] = ['COMMIT_FAILED', 'COMMIT_TIMED_OUT', 'COMMITTABLES_MISSING']

/** Rejects with TRACE_INVALID at a step that does not exist. */
export async function replayTwoPhaseCommit(trace: TwoPhaseCommitTrace): Promise<TwoPhaseCommitOutcome> {
  const sink = trace.kind === 'transactions' ? transactionsSink(trace) : committablesSink(trace)
  const errors: number[] = []
  const committedAfter: Record<string, readonly string[]> = {}
  for (const [index, step] of trace.steps.entries()) {
    const [verb = '', ...words] = step.split(' ')
    try {
      await sink.step(verb, words)
    } catch (thrown) {
      // A commit that fails would fail the task; the trace says whether it goes on.
      if (!StreamError.is(thrown) || !COMMIT_ERRORS.includes(thrown.code)) throw thrown
      errors.push(index)
    }
    committedAfter[index] = [...sink.committed]
  }
  return { committed: sink.committed, committedAfter, errors, openTransactions: sink.open(), output: sink.output }
}

interface Sink {
  readonly committed: readonly string[]
  readonly output: readonly (readonly [string, number, number])[]
  open(): number
  step(verb: string, words: readonly string[]): Promise<void>
}

/** What the outside system knows of a transaction. */
interface External {
  readonly values: string[]
  state: 'open' | 'committed' | 'aborted'
}

function transactionsSink(trace: TransactionsTrace): Sink {
  const clock = new VirtualClock()
  const committed: string[] = []
  const external: External[] = []
  const snapshots = new Map<
    number,
    { readonly pending: readonly PendingCommittable<number>[]; readonly open: readonly number[] }
  >()
  /** Which commits fail: all, those of the transaction holding a value, or none. */
  let failing: 'all' | { readonly value: string } | 'none' = 'none'
  let transactions = sinkOfOneAttempt()
  let current: number | undefined
  let finished = false

  function sinkOfOneAttempt(): Transactions<number> {
    return twoPhaseCommit<number>({
      ...common('transactions', clock, RETRIES),
      checkpointing: true,
      ignoreFailuresAfterMs: trace.ignoreFailuresAfterTransactionTimeout ? trace.transactionTimeoutMs : undefined,
      commit(requests) {
        for (const { committable } of requests) commit(external[committable] as External)
      },
      abort(transaction) {
        const it = external[transaction] as External
        if (it.state === 'open') it.state = 'aborted'
      },
    })
  }

  const commit = (transaction: External) => {
    if (failing === 'all' || (failing !== 'none' && transaction.values.includes(failing.value)))
      throw new StreamError('COMMIT_FAILED', { message: 'The trace lets this commit fail.' })
    if (transaction.state === 'open') committed.push(...transaction.values)
    transaction.state = 'committed'
  }

  const begin = () => {
    current = external.push({ values: [], state: 'open' }) - 1
    transactions.begin(current)
  }
  begin()

  return {
    committed,
    output: [],
    open: () => external.filter(({ state }) => state === 'open').length,
    async step(verb, [word = '']) {
      if (verb.startsWith('@')) return clock.advance(Number(verb.slice(1)) - clock.now())
      switch (verb) {
        case 'write':
          return void external[current as number]?.values.push(word)
        case 'snapshot':
          transactions.preCommitOpen(Number(word))
          current = undefined
          if (!finished) begin()
          return void snapshots.set(Number(word), {
            pending: transactions.pending(),
            open: current === undefined ? [] : [current],
          })
        case 'complete':
          return transactions.complete(Number(word))
        case 'abort':
          return
        case 'restore': {
          const { pending, open } = snapshots.get(Number(word)) ?? { pending: [], open: [] }
          // What the snapshot does not know is lost sight of: the outside system takes it back by itself.
          const known = new Set([...pending.map(({ committable }) => committable), ...open])
          external.forEach((each, index) => {
            if (each.state === 'open' && !known.has(index)) each.state = 'aborted'
          })
          transactions = sinkOfOneAttempt()
          finished = false
          await transactions.restored(pending, open)
          return begin()
        }
        case 'failCommits':
          failing = word === '' ? 'all' : { value: word }
          return
        case 'healCommits':
          failing = 'none'
          return
        case 'finish':
          finished = true
          return
        case 'close':
          current = undefined
          return transactions.close()
        default:
          throw unknownStep(verb)
      }
    },
  }
}

function committablesSink(trace: CommittablesTrace): Sink {
  const clock = new VirtualClock()
  const committed: string[] = []
  const output: (readonly [string, number, number])[] = []
  const failing = new Map<string, number>()
  let subtask = trace.subtask ?? 0
  let snapshot: readonly PendingCommittable<string>[] = []
  let transactions = committerOfOneAttempt()

  function committerOfOneAttempt(): Transactions<string> {
    const ownSubtask = subtask
    return twoPhaseCommit<string>({
      ...common('committables', clock, trace.retries ?? RETRIES),
      checkpointing: trace.checkpointing !== false && trace.batch !== true,
      commit(requests) {
        for (const request of requests) commit(request)
      },
      committed: (value, checkpointId) => output.push([value, checkpointId, ownSubtask]),
    })
  }

  const commit = (request: CommitRequest<string>) => {
    const value = request.committable
    const left = failing.get(value) ?? 0
    failing.set(value, left - 1)
    if (left > 0) return request.retryLater()
    if (committed.includes(value)) request.alreadyCommitted()
    else committed.push(value)
  }

  return {
    committed,
    output,
    open: () => transactions.pending().length,
    async step(verb, [word = '', more = '']) {
      switch (verb) {
        case 'summary':
          return transactions.preCommit(Number(word), [], Number(more))
        case 'committable':
          return transactions.preCommit(Number(word), [more])
        case 'complete':
          return transactions.complete(Number(word))
        case 'fail':
          return void failing.set(word, Number(more))
        case 'endInput':
          return transactions.endInput()
        case 'snapshot':
          snapshot = transactions.pending()
          return
        case 'restore':
          if (word !== '') subtask = Number(word)
          transactions = committerOfOneAttempt()
          return transactions.restored(snapshot)
        default:
          throw unknownStep(verb)
      }
    },
  }
}

const common = (kind: string, clock: VirtualClock, retries: number) => ({
  id: `job/sink-0#1/${kind}`,
  clock,
  causes: causes(),
  retries,
  commitTimeoutMs: COMMIT_TIMEOUT_MS,
  failed(cause: Error) {
    throw cause
  },
})

const unknownStep = (verb: string) =>
  new StreamError('TRACE_INVALID', {
    message: `The trace has a step "${verb}", which the replay of two-phase commits does not know.`,
    hint: 'The steps stand in the documentation of replayTwoPhaseCommit.',
  })
