/** The body of a request as JSON, within bounds: of its size before it is kept, of its depth before it is parsed. */
import { RestFailure } from './route.ts'

const MOST_BYTES = 1024 * 1024
const DEEPEST = 64

/** `{}` for an empty body, undefined for what is no JSON. Throws RestFailure 413 (over 1 MiB) and 400 (nested over 64). */
export async function jsonBody(request: Request): Promise<unknown> {
  if (Number(request.headers.get('content-length') ?? 0) > MOST_BYTES) throw tooLarge()
  const text = await boundedText(request)
  if (text === undefined) return undefined
  if (text.trim() === '') return {}
  if (isTooDeep(text)) throw new RestFailure(400, `The body is nested more than ${DEEPEST} deep.`)
  try {
    return JSON.parse(text)
  } catch {
    // A SyntaxError, of which the handler speaks in Flink's words.
    return undefined
  }
}

/** Undefined for what is no UTF-8. */
async function boundedText(request: Request): Promise<string | undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const pieces: string[] = []
  let bytes = 0
  const reader = request.body?.getReader()
  for (;;) {
    const piece = await nextOf(reader)
    const isLast = piece === undefined || piece.done
    bytes += piece?.value?.byteLength ?? 0
    if (bytes > MOST_BYTES) throw tooLarge()
    try {
      pieces.push(decoder.decode(piece?.value, { stream: !isLast }))
    } catch {
      // A TypeError: these bytes are no text.
      return undefined
    }
    if (isLast) return pieces.join('')
  }
}

/** The client has gone, or took too long: it gets no answer any more, or none that it reads. */
async function nextOf(reader: ReadableStreamDefaultReader<Uint8Array> | undefined) {
  try {
    return await reader?.read()
  } catch {
    // Whatever the socket or the framework says of it.
    throw new RestFailure(400, 'The body did not come to its end.')
  }
}

/** Brackets in strings do not count. One look at each character, so that no text takes long. */
export function isTooDeep(text: string): boolean {
  let depth = 0
  let inString = false
  for (let index = 0; index < text.length; index++) {
    const character = text.charCodeAt(index)
    if (inString) {
      if (character === BACKSLASH) index++
      else if (character === QUOTE) inString = false
    } else if (character === QUOTE) inString = true
    else if (character === OPENING_BRACKET || character === OPENING_BRACE) {
      if (++depth > DEEPEST) return true
    } else if (character === CLOSING_BRACKET || character === CLOSING_BRACE) depth--
  }
  return false
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c]
const [OPENING_BRACKET, CLOSING_BRACKET, OPENING_BRACE, CLOSING_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d]

const tooLarge = (): RestFailure => new RestFailure(413, `The body is larger than ${MOST_BYTES} bytes.`)
