/** Reads Flink's old `flink-conf.yaml`: lines of `key: value` with `#` comments. It looks like YAML and is none. */
import { StreamError } from '../errors.ts'
import type { ConfigurationEntry } from './configuration-layer.ts'

/** All values are texts. Throws CONFIG_INVALID for a line that is neither empty nor `key: value`. */
export function readFlatConfiguration(path: string, text: string): readonly ConfigurationEntry[] {
  return text.split(/\r?\n/).flatMap((written, index): readonly ConfigurationEntry[] => {
    const line = (written.split('#', 1)[0] ?? '').trim()
    if (line === '') return []
    const colon = line.indexOf(': ')
    // A key without a value says nothing, as in YAML.
    if (colon < 0 && line.endsWith(':')) return []
    if (colon <= 0) throw notAnEntry(path, index + 1, line)
    return [{ key: line.slice(0, colon).trim(), value: line.slice(colon + 2).trim(), line: index + 1 }]
  })
}

function notAnEntry(path: string, line: number, text: string): StreamError {
  return new StreamError('CONFIG_INVALID', {
    message: `${path}:${line}: "${text}" is not a line of a flink-conf.yaml.`,
    hint: 'Legal is `key: value`, with a space after the colon, and comments after #.',
    details: { file: path, line, value: text, legal: 'key: value' },
  })
}
