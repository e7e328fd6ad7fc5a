/** Reads a configuration in YAML, nested or flat, into entries with line numbers. */
import { type Document, isAlias, isMap, isScalar, LineCounter, type Pair, parseDocument } from 'yaml'
import { StreamError } from '../errors.ts'
import type { ConfigurationEntry } from './configuration-layer.ts'

/** Nested keys are joined by dots. An empty value says nothing. Throws CONFIG_INVALID with file and line. */
export function readYamlConfiguration(path: string, text: string): readonly ConfigurationEntry[] {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const lineOf = (offset: number | undefined) => lines.linePos(offset ?? 0).line
  const [error] = document.errors
  if (error !== undefined) throw notYaml(path, lineOf(error.pos[0]), error.message)
  if (document.contents === null) return []
  if (!isMap(document.contents)) throw notYaml(path, 1, 'the file is not a mapping of keys to values')
  return entriesOf(document.contents.items as Pair[], '', document, lineOf)
}

function entriesOf(
  pairs: readonly Pair[],
  prefix: string,
  document: Document,
  lineOf: (offset: number | undefined) => number,
): readonly ConfigurationEntry[] {
  return pairs.flatMap((pair): readonly ConfigurationEntry[] => {
    const name = isScalar(pair.key) ? pair.key : undefined
    const key = `${prefix}${name === undefined ? String(pair.key) : String(name.value)}`
    const line = lineOf(name?.range?.[0])
    const node = isAlias(pair.value) ? pair.value.resolve(document) : pair.value
    if (isMap(node)) return entriesOf(node.items as Pair[], `${key}.`, document, lineOf)
    if (!isScalar(node)) return node === null || node === undefined ? [] : [{ key, value: [], line }]
    return node.value === null || node.value === '' ? [] : [{ key, value: node.value, line }]
  })
}

function notYaml(path: string, line: number, problem: string): StreamError {
  return new StreamError('CONFIG_INVALID', {
    message: `${path}:${line}: this is not legal YAML: ${problem.trim()}`,
    hint: 'Legal is one key per line, a colon, a space and the value; nested keys are indented by spaces.',
    details: { file: path, line, legal: 'YAML' },
  })
}
