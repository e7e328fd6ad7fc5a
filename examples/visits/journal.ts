/** A file of lines that the server appends to and the job reads: what makes requests, which come once, replayable. */
import { open } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { defineSource } from 'millrace'

const NEWLINE = 10

/** The returned function resolves when the value is on the disk. When it rejects once, it does so from then on. */
export async function openJournal<T>(path: string): Promise<(value: T) => Promise<void>> {
  const file = await open(path, 'a+')
  // A line that a killed process has left unfinished was never confirmed, and the job has not read it.
  await file.truncate((await file.readFile()).lastIndexOf(NEWLINE) + 1)
  let last = Promise.resolve()
  return (value) => {
    last = last.then(async () => {
      await file.appendFile(`${JSON.stringify(value)}\n`)
      await file.datasync()
    })
    return last
  }
}

/** What was appended, from the first line on and for ever. The position is the byte behind the line. */
export function journalSource<T>(path: string) {
  return defineSource({
    boundedness: 'continuous-unbounded',
    splits: () => ['journal'],
    start: () => 0,
    async *read(_, from, signal) {
      const file = await open(path, 'r')
      const buffer = Buffer.alloc(64 * 1024)
      try {
        for (let position = from; !signal.aborted; ) {
          const { bytesRead } = await file.read(buffer, 0, buffer.length, position)
          const whole = buffer.subarray(0, bytesRead).lastIndexOf(NEWLINE) + 1
          if (whole === 0) await wait(20)
          else
            for (const line of buffer.toString('utf8', 0, whole - 1).split('\n')) {
              position += Buffer.byteLength(line) + 1
              yield { value: JSON.parse(line) as T, position }
            }
        }
      } finally {
        await file.close()
      }
    },
  })
}
