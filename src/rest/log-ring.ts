/** The last lines that the process logged, for the pages of the dashboard that show a log. In memory; nothing is read from disk. */
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'

export interface LogRing {
  /** Passes on to `next` and remembers, with time and level, one line each; control characters escaped. */
  through(next: Logger): Logger
  /** Oldest first, each line ended. */
  text(): string
  /** Of `text()` in bytes, and when the last line came, in milliseconds since the epoch. */
  readonly size: number
  readonly changedAtMs: number
}

const MOST_BYTES = 1024 * 1024
const LONGEST_LINE = 8192

export function makeLogRing(clock: Clock): LogRing {
  const lines: { readonly text: string; readonly bytes: number }[] = []
  let size = 0
  let changedAtMs = clock.now()
  const remember = (level: string, message: string) => {
    changedAtMs = clock.now()
    const text = `${new Date(changedAtMs).toISOString()} ${level} ${onOneLine(message)}\n`
    const bytes = Buffer.byteLength(text)
    lines.push({ text, bytes })
    size += bytes
    while (size > MOST_BYTES) size -= lines.shift()?.bytes ?? size
  }
  return {
    through: (next) => ({
      debug(message) {
        remember('DEBUG', message)
        next.debug(message)
      },
      info(message) {
        remember('INFO ', message)
        next.info(message)
      },
      warn(message) {
        remember('WARN ', message)
        next.warn(message)
      },
      error(message) {
        remember('ERROR', message)
        next.error(message)
      },
    }),
    text: () => lines.map(({ text }) => text).join(''),
    get size() {
      return size
    },
    get changedAtMs() {
      return changedAtMs
    },
  }
}

/** A line that a message makes up must not look like one of ours, nor reach a terminal as a command, nor turn it round. */
function onOneLine(message: string): string {
  const cut = message.length > LONGEST_LINE ? `${message.slice(0, LONGEST_LINE)}…` : message
  return cut.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    if (character === '\n') return '\\n'
    if (character === '\t') return '\\t'
    const code = character.codePointAt(0) ?? 0
    return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
  })
}
