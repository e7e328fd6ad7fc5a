/** The id port: job ids and unique names of files. Ids of checkpoints and attempts are counted, never drawn. */
import { customAlphabet } from 'nanoid'
import type { Random } from './random.ts'

export interface Ids {
  /** 32 lower-case hexadecimal digits, as Flink's job ids. */
  jobId(): string
  /** A short name that no other file has: 12 lower-case letters and digits. */
  uniqueName(): string
}

const HEX = '0123456789abcdef'
const NAME = '0123456789abcdefghijklmnopqrstuvwxyz'

export function systemIds(): Ids {
  const jobId = customAlphabet(HEX, 32)
  const uniqueName = customAlphabet(NAME, 12)
  return { jobId: () => jobId(), uniqueName: () => uniqueName() }
}

/** Repeatable ids for simulations. */
export function seededIds(random: Random): Ids {
  const draw = (alphabet: string, length: number) =>
    Array.from({ length }, () => alphabet[Math.floor(random.next() * alphabet.length)]).join('')
  return { jobId: () => draw(HEX, 32), uniqueName: () => draw(NAME, 12) }
}
