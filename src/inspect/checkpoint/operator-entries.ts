/** The elements of one operator state: by subtask, in the order in which they were stored. */
import { ByteReader } from '../../elements/byte-reader.ts'
import { readValue } from '../../elements/value-reader.ts'
import type { MapKey } from '../../state/key.ts'
import type { StoredOperatorState } from '../../state/operator-state-format.ts'
import { readingFile } from './bad-state.ts'
import { keyForm, sameKey, valueForm } from './entry-form.ts'
import type { Json } from './json-form.ts'
import type { OpenCheckpoint } from './open-checkpoint.ts'
import { readOperatorStates } from './operator-states.ts'
import type { StateChoice } from './state-choice.ts'
import type { TakeEntry } from './state-entries.ts'

/** `{ subtask, index, value }`; of a broadcast state `{ subtask, key, value }`, of one key where that is given. */
export async function eachOperatorElement(
  checkpoint: OpenCheckpoint,
  { operator, name, kind }: StateChoice,
  key: MapKey | undefined,
  take: TakeEntry,
): Promise<void> {
  await checkpoint.verify([operator])
  for (const { identity, file, states } of await readOperatorStates(checkpoint, operator))
    for (const state of states.filter((one) => one.name === name && one.mode === kind))
      for (let index = 0; index < state.elements.length; index++) {
        const entry = await readingFile(file, identity, async () => formOf(state, index, key))
        if (entry !== undefined) await take({ subtask: identity.subtask, ...entry })
      }
}

/** Undefined for another key. */
function formOf(
  { mode, serializer, elements }: StoredOperatorState,
  index: number,
  wanted: MapKey | undefined,
): Record<string, Json> | undefined {
  const element = elements[index] as Uint8Array
  if (mode !== 'broadcast') return { index, value: valueForm(serializer, element) }
  const input = new ByteReader(element)
  const key = readValue(input) as MapKey
  if (wanted !== undefined && !sameKey(key, wanted)) return undefined
  return { key: keyForm(key), value: valueForm(serializer, input.raw(input.remaining)) }
}
