/** What happens at a record that cannot be read: the job fails, or it is counted, and given away where somebody wants it. */
import { StreamError, toError } from '../../base/errors.ts'
import type { OutputTag } from '../../operators/functions.ts'
import type { ReaderOutput, SourceReaderContext } from '../../operators/source.ts'
import type { RecordDecoder } from './record-decoder.ts'
import { issuesOf } from './record-schema.ts'

/** A record of a file that cannot be read, in the side output that `onInvalid` names. */
export interface InvalidRecord {
  readonly path: string
  /** From 1. Undefined in a byte range that does not begin at the start of its file: there nobody has counted. */
  readonly line: number | undefined
  /** Of its first byte; of a compressed file counted uncompressed. */
  readonly offset: number
  /** As it stands in the file, without the end of its line; bytes that are not UTF-8 are replaced by U+FFFD. */
  readonly text: string
  /** What is wrong with it. */
  readonly message: string
}

export type OnInvalid = 'fail' | 'skip' | OutputTag<InvalidRecord>

/** As much of a record as an error shows. */
const SHOWN = 200

export class InvalidRecords {
  readonly #context: SourceReaderContext
  readonly #policy: OnInvalid
  /** By path, of those files that are being read. */
  readonly #skipped = new Map<string, number>()

  constructor(context: SourceReaderContext, policy: OnInvalid) {
    this.#context = context
    this.#policy = policy
  }

  /** `linesCounted`: from the start of the file. RECORD_INVALID when records must not be passed over. */
  found(
    output: Pick<ReaderOutput<never>, 'output'>,
    path: string,
    decoder: RecordDecoder<unknown>,
    linesCounted: boolean,
  ): void {
    const record = describe(path, decoder, linesCounted)
    if (this.#policy === 'fail') throw refusal(record, decoder.problem)
    const before = this.#skipped.get(path) ?? 0
    this.#skipped.set(path, before + 1)
    this.#context.count('skippedRecords', 1)
    if (typeof this.#policy !== 'string') output.output(this.#policy, record)
    else if (before === 0)
      this.#context.environment.logger.warn(`${where(record)}: skipped an invalid record: ${record.message}.`)
  }

  /** This file is read, for now: says how many were skipped in all, unless they went elsewhere. */
  finished(path: string): void {
    const count = this.#skipped.get(path) ?? 0
    this.#skipped.delete(path)
    if (count > 1 && typeof this.#policy === 'string')
      this.#context.environment.logger.warn(`${path}: ${count} invalid records were skipped in all.`)
  }
}

function describe(path: string, decoder: RecordDecoder<unknown>, linesCounted: boolean): InvalidRecord {
  const { problem, text, line, recordOffset } = decoder
  const message = typeof problem === 'string' ? problem : toError(problem).message
  return { path, line: linesCounted ? line : undefined, offset: recordOffset, text, message }
}

function where({ path, line, offset }: InvalidRecord): string {
  return line === undefined ? `${path}, byte ${offset}` : `${path}, line ${line}`
}

function refusal(record: InvalidRecord, problem: unknown): StreamError {
  const { path, line, offset, text, message } = record
  const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text
  const issues = issuesOf(problem)
  return new StreamError('RECORD_INVALID', {
    message: `${where(record)}: ${message}. There stands ${JSON.stringify(shown)}.`,
    hint: "Correct the file, or set `onInvalid`: 'skip' passes such records over and counts them, an OutputTag gives them to a side output.",
    details: {
      path,
      ...(line === undefined ? {} : { line }),
      offset,
      text: shown,
      ...(issues === undefined ? {} : { issues }),
    },
    cause: problem,
  })
}
