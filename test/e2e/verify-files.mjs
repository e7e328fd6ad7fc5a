/** Reads what a job has written: finished files only, in the order in which each subtask wrote them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Of one folder; none where there is no such folder. Names of unfinished files begin with a dot. */
export function finishedFiles(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .map((file) => ({ file, path: join(folder, file), place: placeOf(file) }))
    .sort((one, other) => (one.place < other.place ? -1 : 1))
}

export function linesOf(path) {
  const lines = readFileSync(path, 'utf8').split('\n')
  if (lines.pop() !== '') throw new Error(`${path} does not end with a whole line`)
  return lines
}

/** Rows of the followed job in one bucket; `where` is for reports. */
export function rowsOf(folder) {
  return finishedFiles(folder).flatMap(({ file, path }) =>
    csvRecordsOf(path).map(({ kind, key, note, ...numbers }) => ({
      where: `${kind}/${file}: ${key} ${numbers.n} at ${numbers.at} of subtask ${numbers.subtask}`,
      key,
      note,
      ...Object.fromEntries(Object.entries(numbers).map(([name, text]) => [name, Number(text)])),
    })),
  )
}

export function jsonLinesOf(folder) {
  return finishedFiles(folder).flatMap(({ file, path }) =>
    linesOf(path).map((line) => ({ where: `${file}: ${line.slice(0, 150)}`, ...JSON.parse(line) })),
  )
}

/** The records of a CSV file by the names in its first line: quoted fields may hold commas, quotes and line ends. */
function csvRecordsOf(path) {
  const text = readFileSync(path, 'utf8')
  const [names, ...records] = csvFields(text)
  return records.map((fields) => {
    if (fields.length !== names.length) throw new Error(`${path}: ${fields.length} fields in ${JSON.stringify(fields)}`)
    return Object.fromEntries(names.map((name, index) => [name, fields[index]]))
  })
}

function csvFields(text) {
  const records = []
  let fields = []
  let at = 0
  for (const [whole, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy)) {
    at += whole.length
    fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    if (end === ',') continue
    records.push(fields)
    fields = []
  }
  if (at < text.length) throw new Error(`no CSV: ${JSON.stringify(text.slice(at, at + 100))}`)
  return records
}

/** `part-<subtask>-<n>.json`: by n, as a text. `tx-<time>-…` sorts as it is. */
function placeOf(file) {
  const number = /^part-\d+-(\d+)/.exec(file)?.[1]
  return number === undefined ? file : number.padStart(12, '0')
}
