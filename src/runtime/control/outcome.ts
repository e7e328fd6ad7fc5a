/** Promises that answer for something still under way, and that make no noise when nobody waits for them. */

export interface Outcome {
  readonly promise: Promise<void>
  resolve(): void
  reject(reason: unknown): void
}

export function outcome(): Outcome {
  let resolve = () => {}
  let reject: (reason: unknown) => void = () => {}
  const promise = new Promise<void>((onTime, instead) => {
    resolve = onTime
    reject = instead
  })
  return { promise: silent(promise), resolve, reject }
}

/** Waits for all, then rejects with the first in the list that was rejected. */
export function allOf(promises: readonly (Promise<void> | undefined)[]): Promise<void> {
  const waiting = async () => {
    for (const result of await Promise.allSettled(promises)) if (result.status === 'rejected') throw result.reason
  }
  return silent(waiting())
}

/** The same promise; a rejection that nobody observes is no unhandled one. */
export function silent(promise: Promise<void>): Promise<void> {
  promise.catch(() => {})
  return promise
}
