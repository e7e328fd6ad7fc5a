/** Asynchronous work on many things, a few at a time. */
const AT_ONCE = 16

/** Rejects with the first failure, once what was under way has settled; what was not begun then is not begun. */
export async function atOnce<T>(items: Iterable<T>, act: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]()
  let failed = false
  const worker = async () => {
    for (let next = iterator.next(); next.done !== true && !failed; next = iterator.next()) {
      try {
        await act(next.value)
      } catch (thrown) {
        // Whatever it is, it is the caller's: the others only stop.
        failed = true
        throw thrown
      }
    }
  }
  const settled = await Promise.allSettled(Array.from({ length: AT_ONCE }, worker))
  for (const each of settled) if (each.status === 'rejected') throw each.reason
}
