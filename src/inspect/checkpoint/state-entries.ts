/** Hands out one state of a checkpoint, entry by entry, in an order that depends on nothing but the entries. */
import { StreamError } from '../../base/errors.ts'
import type { MapKey } from '../../state/key.ts'
import { eachInFlightRecord } from './in-flight.ts'
import type { Json } from './json-form.ts'
import { eachKeyedEntry } from './keyed-entries.ts'
import type { OpenCheckpoint } from './open-checkpoint.ts'
import { eachOperatorElement } from './operator-entries.ts'
import type { StateChoice } from './state-choice.ts'

/** Takes one entry; the next comes when the promise has settled. */
export type TakeEntry = (entry: Json) => void | Promise<void>

/**
 * Every entry, or that of one key. All files that are read were verified before the first one is handed out. Throws
 * COMMAND_INVALID for a key where there are none, and what reading the checkpoint throws.
 */
export async function eachEntry(
  checkpoint: OpenCheckpoint,
  choice: StateChoice,
  key: MapKey | undefined,
  take: TakeEntry,
): Promise<void> {
  if (choice.type === 'keyed') return eachKeyedEntry(checkpoint, choice, key, take)
  if (key !== undefined && choice.kind !== 'broadcast')
    throw new StreamError('COMMAND_INVALID', {
      message:
        choice.type === 'channels'
          ? 'Records in flight are not kept by key.'
          : `The operator state '${choice.name}' is a list: it has no keys.`,
      hint: 'Leave --key out.',
      details: { state: choice.name },
    })
  if (choice.type === 'channels') return eachInFlightRecord(checkpoint, choice, take)
  return eachOperatorElement(checkpoint, choice, key, take)
}
