/**
 * What was thrown, as plain texts that can be kept and shown: user code may throw anything, and nothing that it throws may
 * break whoever tells of it. Pure.
 */
import { messageOf, StreamError } from '../base/errors.ts'
import type { ThrowableSnapshot } from './execution-graph-snapshot.ts'

/** Of a stack with all its causes. */
const MOST_CHARACTERS = 65_536
const MOST_MESSAGE = 16_384

/**
 * Never throws, whatever getters and proxies do. `hide` takes secrets out of each text. A stack has at most 65,536
 * characters; its first line is name and message, also where the thrown object says otherwise, and a hint follows it.
 */
export function throwableSnapshot(thrown: unknown, hide: (text: string) => string = (text) => text): ThrowableSnapshot {
  const told = [...chainOf(thrown)].map(describe)
  const [first = describe(thrown)] = told
  return {
    name: hide(first.name),
    message: cut(hide(first.message), MOST_MESSAGE),
    stack: cut(hide(told.map(({ stack }) => stack).join('\nCaused by: ')), MOST_CHARACTERS),
  }
}

/** The thrown object, its cause, the cause of that: each once, for a cause may lead back. */
function* chainOf(thrown: unknown): Generator<unknown> {
  const seen = new Set<unknown>()
  let next: { readonly value: unknown } | undefined = { value: thrown }
  while (next !== undefined && !seen.has(next.value) && seen.size < MOST_CAUSES) {
    seen.add(next.value)
    yield next.value
    next = causeOf(next.value)
  }
}

/** More than a chain ever has, and fewer than a getter that makes a new one each time can give. */
const MOST_CAUSES = 32

function causeOf(thrown: unknown): { readonly value: unknown } | undefined {
  const value = isObject(thrown) ? read(thrown, 'cause') : undefined
  return value === undefined || value === null ? undefined : { value }
}

function describe(thrown: unknown): ThrowableSnapshot {
  const name = nameOf(thrown)
  const message = messageFrom(thrown)
  const hint = StreamError.is(thrown) ? textOf(read(thrown, 'hint')) : undefined
  const head = message === '' ? name : `${name}: ${message}`
  const stack = `${head}${hint === undefined ? '' : `\n Hint: ${hint}`}${framesOf(thrown, message)}`
  return { name, message, stack }
}

function messageFrom(thrown: unknown): string {
  return cut(textOf(isObject(thrown) ? read(thrown, 'message') : undefined) ?? messageOf(thrown), MOST_CHARACTERS)
}

/** A class of the user's that gives itself no name is called `Error` by its objects. */
function nameOf(thrown: unknown): string {
  if (!isObject(thrown)) return thrown === null ? 'null' : typeof thrown
  const own = textOf(read(thrown, 'name'))
  if (own !== undefined && own !== '' && own !== 'Error') return cut(own, MOST_NAME)
  const maker = read(thrown, 'constructor')
  const made = isObject(maker) ? textOf(read(maker, 'name')) : undefined
  return cut(made || own || 'Object', MOST_NAME)
}

const MOST_NAME = 256

/** From the first frame on, with the line break before it: what stands above says the same as name and message. */
function framesOf(thrown: unknown, message: string): string {
  const stack = isObject(thrown) ? textOf(read(thrown, 'stack')) : undefined
  if (stack === undefined) return ''
  const messageAt = stack.indexOf(message)
  const framesAt = stack.indexOf('\n    at ', messageAt === -1 ? 0 : messageAt + message.length)
  if (framesAt !== -1) return cut(stack.slice(framesAt), MOST_CHARACTERS)
  return messageAt === -1 ? cut(`\n${stack}`, MOST_CHARACTERS) : ''
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

function read(from: object, key: string): unknown {
  try {
    return Reflect.get(from, key)
  } catch {
    // A getter or a proxy of the user's: then it says nothing there.
    return undefined
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function cut(text: string, most: number): string {
  const end = '\n... (cut)'
  return text.length <= most ? text : `${text.slice(0, most - end.length)}${end}`
}
