/** Lets a host turn what its work comes to into a fact, whether the work answers at once or with a promise. */

/** Exactly one of `done` and `failed` is called: within this call when `work` returns a value or throws, later otherwise. */
export function whenDone<T>(
  work: () => T | PromiseLike<T>,
  done: (value: T) => void,
  failed: (thrown: unknown) => void,
): void {
  let result: T | PromiseLike<T>
  try {
    result = work()
  } catch (thrown) {
    // The work is a user's or the disk's: whatever it throws is the answer.
    failed(thrown)
    return
  }
  if (isPromiseLike(result)) result.then(done, failed)
  else done(result)
}

const isPromiseLike = <T>(value: T | PromiseLike<T>): value is PromiseLike<T> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
