/** How far reading has come, on a terminal and only where it takes a while: one line that is written over. */
import type { CheckpointMetadata } from '../checkpoint/checkpoint-metadata.ts'
import { ownFilesIn, sharedIn } from '../checkpoint/stored-handles.ts'
import type { Output } from './process-boundary.ts'

export interface ReadingProgress {
  /** What will be read is known now. */
  expect(metadata: CheckpointMetadata): void
  read(bytes: number): void
  /** Nothing is shown any more. Harmless when repeated. */
  end(): void
}

/** Files are hashed first, then read once more. */
const TIMES_READ = 2
/** Below it nothing is shown: that is read in less than a second. */
const STEP_BYTES = 128 * 1024 * 1024

export function readingProgress(err: Output): ReadingProgress {
  let [expected, read, shownAt, isShown] = [0, 0, 0, false]
  return {
    expect(metadata) {
      const files = [...ownFilesIn(metadata), ...sharedIn(metadata)]
      expected = files.reduce((sum, { length }) => sum + length, 0) * TIMES_READ
    },
    read(bytes) {
      read += bytes
      if (!err.isTerminal || read - shownAt < STEP_BYTES || expected === 0) return
      shownAt = read
      isShown = true
      err.write(`\r\u001b[Kverifying: ${Math.min(99, Math.floor((read / expected) * 100))} %`)
    },
    end() {
      if (isShown) err.write('\r\u001b[K')
      isShown = false
    },
  }
}
