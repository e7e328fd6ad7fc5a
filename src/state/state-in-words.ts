/** How messages name states and keys. States that operators of the house keep for a program it never named: messages say what they hold. */
import { keyOf, type MapKey } from './key.ts'
import { isPartKey, userKeyInWords } from './part-keys.ts'

const IN_WORDS: Readonly<Record<string, string>> = {
  _op_state: 'The running result',
  'sink-writer': 'the state of the sink’s writer',
  'source-splits': 'the splits that are being read',
}

/** `The running result`, `State 'count'`. */
export function keyedStateInWords(name: string): string {
  return IN_WORDS[name] ?? `State '${name}'`
}

/** `the state of the sink’s writer`, `operator state 'offsets'`. */
export function operatorStateInWords(name: string): string {
  return IN_WORDS[name] ?? `operator state '${name}'`
}

/** As the key selector gave it, in JSON. */
export function keyInWords(key: MapKey): string {
  if (isPartKey(key)) return userKeyInWords(key)
  const original = keyOf(key)
  return typeof original === 'bigint'
    ? `${original}n`
    : JSON.stringify(original, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part))
}
