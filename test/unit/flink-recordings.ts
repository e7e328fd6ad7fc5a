/**
 * How recordings of a real Flink become the fixtures of `test/fixtures/flink-rest`: what tests compare stays, stack frames
 * and long texts do not. Used where the originals are present.
 */
import { readdirSync, readFileSync } from 'node:fs'

/** Of `flink/recordings`: each becomes one file of the same name. */
export const FOLDERS = [
  'applications',
  'async',
  'cluster',
  'errors',
  'job-canceled',
  'job-failed',
  'job-finished',
  'job-no-checkpoints',
  'job-restarting',
  'job-running',
  'job-unaligned',
  'job-waiting',
  'no-submit',
] as const

const LONGEST_TEXT = 500
/** In base64: what is the same in every serialized failure, and the byte behind it. */
const SERIALIZED_PREFIX = 504

interface Original {
  readonly name?: string | undefined
  readonly template: string
  readonly request: { readonly method: string; readonly path: string; readonly body: unknown }
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: unknown
}

/** The text of the fixture of one folder: one recording a line, by name. */
export function compactFolder(originals: string, folder: string): string {
  const lines = filesIn(`${originals}${folder}`, '.json').map((name) => {
    const original = JSON.parse(readFileSync(`${originals}${folder}/${name}.json`, 'utf8')) as Original
    const { template, request, status, headers, body } = original
    const compact = {
      method: request.method,
      template,
      path: request.path,
      ...(request.body === null ? {} : { sent: request.body }),
      status,
      type: headers['content-type'] ?? '',
      body: shortened(body),
    }
    return `${JSON.stringify(name)}:${JSON.stringify(compact)}`
  })
  // The one number that a JS number rounds, as it was recorded.
  return `{\n${lines.join(',\n')}\n}\n`.replaceAll(/\b9223372036854776000\b/g, '9223372036854775807')
}

/** The text of the fixture of what Flink's command line prints: by name, stack frames left out. */
export function compactCommands(originals: string): string {
  const lines = filesIn(`${originals}cli`, '.txt').map((name) => {
    const text = readFileSync(`${originals}cli/${name}.txt`, 'utf8')
    return `${JSON.stringify(name)}:${JSON.stringify(withoutFrames(text))}`
  })
  return `{\n${lines.join(',\n')}\n}\n`
}

function filesIn(folder: string, ending: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => name.slice(0, -ending.length).replaceAll('\\', '/'))
    .sort()
}

function shortened(value: unknown, key = ''): unknown {
  if (typeof value === 'string')
    return key === 'serialized-throwable'
      ? value.slice(0, SERIALIZED_PREFIX)
      : withoutFrames(value).slice(0, LONGEST_TEXT)
  if (Array.isArray(value)) return value.map((item) => shortened(item))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, shortened(item, name)]))
}

function withoutFrames(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^\s+at \S|^\s+\.\.\. \d+ more/.test(line))
    .join('\n')
}
