/**
 * Long operations by the trigger id under which their result is asked for: started once, kept for
 * `rest.async.store-duration` after their end. Flink's CompletedOperationCache.
 */
import type { Clock } from '../base/clock.ts'
import { RestFailure } from './route.ts'

export interface AsyncOperations {
  /**
   * Runs `work`, unless there is an operation under this key: then nothing happens, and its result is that of the first.
   * Throws RestFailure 503 where too many are under way.
   */
  start(key: OperationKey, work: () => Promise<unknown>): void
  /** Undefined: unknown, or forgotten meanwhile. */
  status(key: OperationKey): OperationStatus | undefined
  /**
   * Settles when each result was asked for once, or could have been for `withinMs`: before the process ends. One that has
   * waited that long already holds nobody up.
   */
  delivered(withinMs: number): Promise<void>
  /** Nobody can ask any more: whoever waits for that is let go, and no timer is left. */
  close(): void
}

export interface OperationKey {
  readonly kind: 'savepoint' | 'checkpoint' | 'disposal'
  /** 32 hexadecimal digits; empty for a disposal. */
  readonly jobId: string
  readonly triggerId: string
}

export type OperationStatus =
  | { readonly id: 'IN_PROGRESS' }
  | { readonly id: 'COMPLETED'; readonly value: unknown }
  | { readonly id: 'FAILED'; readonly thrown: unknown }

interface Operation {
  status: OperationStatus
  /** Somebody has asked for the result, or nobody is waited for any more. */
  delivered: boolean
}

const MOST_UNDER_WAY = 100
/** Of results that are kept: whoever triggers more within the time loses the oldest. */
const MOST_KEPT = 10_000

export interface AsyncOperationsOptions {
  readonly clock: Clock
  /** How long a result is kept after the end of its operation. */
  readonly storeDurationMs: number
}

/** Results grow old without a timer: what is too old is dropped when somebody comes. */
export function asyncOperations({ clock, storeDurationMs }: AsyncOperationsOptions): AsyncOperations {
  const operations = new Map<string, Operation>()
  /** When which operation ended, oldest first, on the monotonic clock. */
  const ended = new Map<string, number>()
  const waiting = new Set<() => void>()
  let underWay = 0
  let undelivered = 0

  const deliver = (operation: Operation) => {
    if (operation.delivered) return
    operation.delivered = true
    undelivered--
    if (undelivered === 0) for (const settle of [...waiting]) settle()
  }
  const forget = () => {
    const oldestMs = clock.monotonic() - storeDurationMs
    for (const [name, endedAtMs] of ended) {
      if (endedAtMs >= oldestMs && ended.size <= MOST_KEPT) break
      const operation = operations.get(name)
      ended.delete(name)
      operations.delete(name)
      if (operation !== undefined) deliver(operation)
    }
  }
  /** Whoever wanted the results that were there by then has had time to come. */
  const giveUp = (byMs: number) => {
    for (const [name, endedAtMs] of ended) {
      if (endedAtMs > byMs) break
      const operation = operations.get(name)
      if (operation !== undefined) deliver(operation)
    }
  }

  return {
    start(key, work) {
      forget()
      const name = nameOf(key)
      if (operations.has(name)) return
      if (underWay >= MOST_UNDER_WAY) throw tooManyUnderWay()
      underWay++
      undelivered++
      const operation: Operation = { status: { id: 'IN_PROGRESS' }, delivered: false }
      operations.set(name, operation)
      const end = (status: OperationStatus) => {
        underWay--
        operation.status = status
        ended.set(name, clock.monotonic())
      }
      begun(work).then(
        (value) => end({ id: 'COMPLETED', value }),
        (thrown) => end({ id: 'FAILED', thrown }),
      )
    },
    status(key) {
      forget()
      const operation = operations.get(nameOf(key))
      if (operation !== undefined && operation.status.id !== 'IN_PROGRESS') deliver(operation)
      return operation?.status
    },
    delivered(withinMs) {
      forget()
      if (withinMs <= 0) return Promise.resolve()
      giveUp(clock.monotonic() - withinMs)
      if (undelivered === 0) return Promise.resolve()
      return new Promise((resolve) => {
        const settle = () => {
          waiting.delete(settle)
          timer.cancel()
          resolve()
        }
        const timer = clock.setTimer(withinMs, () => {
          giveUp(clock.monotonic() - withinMs)
          settle()
        })
        waiting.add(settle)
      })
    },
    close() {
      for (const settle of [...waiting]) settle()
    },
  }
}

/** A throw of `work` itself is the result of the operation as well. */
async function begun(work: () => Promise<unknown>): Promise<unknown> {
  return work()
}

const nameOf = ({ kind, jobId, triggerId }: OperationKey): string => `${kind} ${jobId} ${triggerId}`

function tooManyUnderWay(): RestFailure {
  return new RestFailure(
    503,
    `${MOST_UNDER_WAY} operations are under way, which is the most at a time: try again later.`,
  )
}
