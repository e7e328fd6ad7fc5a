/** The key that keyed state and timers of one operator are bound to. */
import { StreamError } from '../base/errors.ts'
import { type MapKey, mapKeyOf } from './key.ts'

export class CurrentKey {
  /** As it was given. */
  key: unknown = undefined
  /** Undefined where there is no key; read per access of a state. */
  mapKey: MapKey | undefined = undefined

  /** Throws INVALID_KEY, and changes nothing then. */
  set(key: unknown): void {
    this.mapKey = mapKeyOf(key)
    this.key = key
  }

  clear(): void {
    this.mapKey = undefined
    this.key = undefined
  }

  /** `what` names who needs the key. */
  required(what: string): MapKey {
    if (this.mapKey === undefined) throw noCurrentKey(what)
    return this.mapKey
  }
}

/** Beside `required` for the places that read `mapKey` themselves. */
export function noCurrentKey(what: string): StreamError {
  return new StreamError('NO_CURRENT_KEY', {
    message: `${what} was used where no key is current.`,
    hint: 'Keyed state and timers belong to the record or timer being processed: use them in processElement and onTimer, never in open or after an await.',
  })
}
