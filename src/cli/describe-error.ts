/** Errors as people and programs read them: code, message, hint, chain of causes. Stack traces only when asked for. */
import { pathToFileURL } from 'node:url'
import { StreamError } from '../base/errors.ts'

/** A chain that is longer, or goes round in a circle, is cut off. */
const LONGEST_CHAIN = 10

export interface ErrorDescription {
  readonly code: string | undefined
  /** Of what was thrown: `TypeError`, `StreamError`. */
  readonly name: string
  readonly message: string
  readonly hint: string | undefined
  /** Where in the user's code: `/jobs/count.ts:12:7`. Undefined for errors of the house. */
  readonly at: string | undefined
  readonly stack: string | undefined
}

/** The error, then its causes. */
export function describeError(error: unknown): readonly ErrorDescription[] {
  const chain: ErrorDescription[] = []
  for (let one = error; one !== undefined && chain.length < LONGEST_CHAIN; one = causeOf(one)) chain.push(describe(one))
  return chain
}

/** Lines for a terminal, without a newline at the end. */
export function errorLines(error: unknown, { stacks }: { readonly stacks: boolean }): readonly string[] {
  return withoutEchoes(describeError(error)).flatMap((one, index) => {
    const title = one.code ?? (one.name === 'Error' ? undefined : one.name)
    const text = `${title === undefined ? '' : `${title}: `}${one.message}`
    const lines = [index === 0 ? `error ${text}` : `  caused by ${text}`]
    if (one.hint !== undefined) lines.push(`  hint: ${one.hint}`)
    if (one.at !== undefined && !stacks) lines.push(`  at ${one.at}`)
    if (stacks && one.stack !== undefined) lines.push(...one.stack.split('\n').map((line) => `    ${line}`))
    return lines
  })
}

/** A cause that an error of ours repeats word for word, with its code and its hint, says nothing new. */
function withoutEchoes(chain: readonly ErrorDescription[]): readonly ErrorDescription[] {
  return chain.filter((one, index) => {
    const above = chain[index - 1]
    const isEcho = one.code !== undefined && one.code === above?.code && one.hint === above.hint
    return !(isEcho && above?.message.endsWith(one.message))
  })
}

/** Plain JSON, the causes nested. */
export function errorObject(error: unknown): unknown {
  const [first, ...causes] = describeError(error).map(({ code, name, message, hint, at }) => ({
    code,
    name,
    message,
    hint,
    at,
  }))
  return causes.length === 0 ? first : { ...first, causes }
}

function describe(error: unknown): ErrorDescription {
  if (!(error instanceof Error) && !StreamError.is(error))
    return {
      code: undefined,
      name: 'Error',
      message: `thrown: ${String(error)}`,
      hint: undefined,
      at: undefined,
      stack: undefined,
    }
  const isOurs = StreamError.is(error)
  return {
    code: isOurs ? error.code : undefined,
    name: error.name,
    message: error.message,
    hint: isOurs ? error.hint : undefined,
    at: isOurs ? undefined : positionIn(error.stack),
    stack: error.stack,
  }
}

function causeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'cause' in error ? error.cause : undefined
}

/** This package's own files: their frames say nothing about the user's code. */
const OWN_FOLDER = new URL('../', import.meta.url).href

/** The first frame outside of Node, of packages and of this one; a compile error has its position in the first line instead. */
function positionIn(stack: string | undefined): string | undefined {
  for (const line of (stack ?? '').split('\n')) {
    const frame = /^\s+at (?:.*\(|async )?((?:file:\/\/)?\/.*:\d+:\d+)\)?$/.exec(line)
    const place = frame?.[1] ?? /^(?:file:\/\/)?\/.*:\d+$/.exec(line)?.[0]
    if (place === undefined || place.includes('/node_modules/')) continue
    if (!pathToFileURL(decodedPath(place)).href.startsWith(OWN_FOLDER)) return decodedPath(place)
  }
  return undefined
}

function decodedPath(place: string): string {
  if (!place.startsWith('file://')) return place
  try {
    return decodeURIComponent(place.slice('file://'.length))
  } catch {
    // An escape that is none: the text as it stands says enough.
    return place
  }
}
