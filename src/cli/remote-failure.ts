/** The stack trace that a server sends becomes a chain of causes. Pure. */

/** A longer text of a server says nothing more to a person. */
const LONGEST_MESSAGE = 2_000
/** Of Java: frames are indented, so is what was suppressed. A continuation of a message may be indented by a blank. */
const FRAME = /^\t/
/** What Flink puts around a failure of the server itself. */
const BRACKET = /^(<Exception on server side:|End of exception on server side>)$/
const CAUSE = 'Caused by: '

/** What a server reported of itself. `name` is the class, `stack` its own lines as they came. */
export class RemoteFailure extends Error {}

/**
 * Outermost first, each the `cause` of the one before it; undefined for an empty text. Wrappers that only repeat what
 * they wrap are left out.
 */
export function remoteFailure(stackTrace: string): RemoteFailure | undefined {
  const links = linksOf(stackTrace).filter(({ text }, index, all) => {
    const inner = all[index + 1]
    return text !== '' && !(inner !== undefined && text.endsWith(inner.text))
  })
  let cause: RemoteFailure | undefined
  for (const link of links.reverse()) cause = asError(link, cause)
  return cause
}

interface Link {
  /** Without frames, in one line. */
  readonly text: string
  readonly lines: readonly string[]
}

function linksOf(stackTrace: string): Link[] {
  const groups: string[][] = [[]]
  for (const line of stackTrace.trimEnd().split(/\r?\n/)) {
    if (BRACKET.test(line)) continue
    if (line.startsWith(CAUSE)) groups.push([line.slice(CAUSE.length)])
    else groups.at(-1)?.push(line)
  }
  return groups.map((lines) => ({
    text: lines
      .filter((line) => !FRAME.test(line))
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .join(' '),
    lines,
  }))
}

/** Flink's serialized failures repeat their class in the message. */
const CLASS_AND_MESSAGE = /^((?:[\w$]+\.)+[\w$]+): (?:\1: )?(.*)$/s

function asError({ text, lines }: Link, cause: RemoteFailure | undefined): RemoteFailure {
  const [, className, message] = CLASS_AND_MESSAGE.exec(text) ?? []
  const error = new RemoteFailure(cutOff(message ?? text), cause === undefined ? undefined : { cause })
  error.name = className ?? 'Error'
  error.stack = lines.join('\n').replaceAll('\t', '    ')
  return error
}

function cutOff(text: string): string {
  return text.length <= LONGEST_MESSAGE ? text : `${text.slice(0, LONGEST_MESSAGE)} ...`
}
