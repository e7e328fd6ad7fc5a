/** Which name a field of a CSV record has. Pure. */
import { StreamError } from '../../base/errors.ts'

export interface CsvColumns {
  /** Wanted by name; left out: all. In a file without header they name the fields by position. */
  readonly columns: readonly string[] | undefined
  /** Whether the first record names the columns. Left out: it does, unless `columns` are given and it holds none of them. */
  readonly header: boolean | undefined
}

/** Names by position. RECORD_INVALID, naming the file, when the header does not serve. */
export function columnsFromFirstRecord(
  first: readonly string[],
  { columns, header }: CsvColumns,
  path: string | undefined,
): { readonly columns: readonly string[]; readonly isHeader: boolean } {
  const present = columns?.filter((name) => first.includes(name)).length ?? 0
  const isHeader = header ?? (columns === undefined || present > 0)
  if (!isHeader) return { columns: columns ?? first.map((_, index) => String(index)), isHeader }
  const repeated = first.find((name, index) => first.indexOf(name) !== index)
  if (repeated !== undefined) throw unusable(path, first, `names the column ${JSON.stringify(repeated)} twice`)
  const absent = columns?.find((name) => !first.includes(name))
  if (absent !== undefined) throw unusable(path, first, `has no column ${JSON.stringify(absent)}`)
  return { columns: first, isHeader }
}

/** Objects with the wanted names, each an own property whatever it is called. */
export function objectMaker(
  names: readonly string[],
  wanted: readonly string[] | undefined,
): (fields: readonly string[]) => Readonly<Record<string, string>> {
  const picked = (wanted ?? names).map((name) => ({ name, index: names.indexOf(name) }))
  if (picked.some(({ name }) => name === '__proto__'))
    return (fields) => Object.fromEntries(picked.map(({ name, index }) => [name, fields[index] as string]))
  return (fields) => {
    const record: Record<string, string> = {}
    for (const { name, index } of picked) record[name] = fields[index] as string
    return record
  }
}

/** As messages name it. */
export function csvFile(path: string | undefined): string {
  return path === undefined ? 'the CSV file' : `the CSV file ${path}`
}

function unusable(path: string | undefined, header: readonly string[], why: string): StreamError {
  return new StreamError('RECORD_INVALID', {
    message: `The first line of ${csvFile(path)} ${why}: ${JSON.stringify(header)}.`,
    hint: 'Correct the header or `columns`; set `header: false` when the file has no header.',
    details: { path, header },
  })
}
