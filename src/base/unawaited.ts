/** Promises that came where a value was due and were refused: nobody waits for them, and a rejection would end the process. */
import { types } from 'node:util'

/** If it is a promise, its rejection is told to nobody. Whoever calls this refuses the value by an error of its own. */
export function takeNoNotice(value: unknown): void {
  // By the method of every promise: one that the value has itself may do anything.
  if (types.isPromise(value)) Promise.prototype.then.call(value, undefined, () => {})
}
