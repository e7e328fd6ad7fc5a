/** Reads the fields of a request's body by Flink's rules: null is as good as missing, what it does not know is passed over. */
import { echoed, handlerRefusal } from './refusals.ts'
import type { RestFailure, RestRequest } from './route.ts'

/** Java's package of each body that is read here; it stands in the refusals. */
const PACKAGES = {
  SavepointTriggerRequestBody: 'org.apache.flink.runtime.rest.messages.job.savepoints',
  StopWithSavepointRequestBody: 'org.apache.flink.runtime.rest.messages.job.savepoints.stop',
  CheckpointTriggerRequestBody: 'org.apache.flink.runtime.rest.messages.checkpoints',
  SavepointDisposalRequest: 'org.apache.flink.runtime.rest.messages.job.savepoints',
  JobClientHeartbeatRequestBody: 'org.apache.flink.runtime.rest.messages.job',
  ClientCoordinationRequestBody: 'org.apache.flink.runtime.rest.messages.job.coordination',
} as const
const ID_DIGITS = 32
/** Of a text that is no id, to say what is wrong with it. */
const MOST_READ = 1_000

export class BodyFields {
  readonly #fields: Readonly<Record<string, unknown>>
  readonly #body: keyof typeof PACKAGES

  /** Throws 400 for a body that is no JSON object. */
  constructor(request: RestRequest, body: keyof typeof PACKAGES) {
    this.#body = body
    const given = request.body
    if (typeof given !== 'object' || given === null || Array.isArray(given)) throw this.#mismatch(given)
    this.#fields = given as Readonly<Record<string, unknown>>
  }

  /** Throws 400 for what is no text. */
  text(field: string): string | undefined {
    const value = this.#get(field)
    if (value === undefined || typeof value === 'string') return value
    throw this.#notA('java.lang.String', field, value)
  }

  /** False where it is missing. Throws 400 for anything but true, false, and these in quotation marks. */
  flag(field: string): boolean {
    const value = this.#get(field)
    if (value === undefined || value === false || value === 'false') return false
    if (value === true || value === 'true') return true
    throw this.#notA('java.lang.Boolean', field, value, 'only "true" or "false" recognized')
  }

  /** Throws 400 for what is not one of `choices`. */
  choice<Choice extends string>(field: string, choices: readonly Choice[], javaType: string): Choice | undefined {
    const value = this.#get(field)
    if (value === undefined) return undefined
    const found = choices.find((one) => one === value)
    if (found !== undefined) return found
    throw this.#notA(javaType, field, value, `not one of the values accepted for Enum class: [${choices.join(', ')}]`)
  }

  /** Throws 400 for what is no whole number. */
  wholeNumber(field: string): number | undefined {
    const value = this.#get(field)
    if (value === undefined || Number.isInteger(value)) return value as number | undefined
    throw this.#notA('long', field, value)
  }

  /** 32 digits in lower case. Throws 400 for anything else. */
  id(field: string): string | undefined {
    const value = this.text(field)
    if (value === undefined || /^[0-9a-f]{32}[0-9a-f]?$/i.test(value)) return value?.slice(0, ID_DIGITS).toLowerCase()
    const pairs = value.slice(0, MOST_READ).match(/.{2}/gs) ?? []
    const stray = pairs.find((pair) => !/^[0-9a-f]{2}$/i.test(pair))
    const why =
      stray === undefined
        ? 'Argument bytes must by an array of 16 bytes'
        : `For input string: "${stray}" under radix 16`
    throw this.#unreadable(`${JACKSON}.JsonMappingException: ${why}`, field)
  }

  #get(field: string): unknown {
    return Object.hasOwn(this.#fields, field) ? (this.#fields[field] ?? undefined) : undefined
  }

  #mismatch(given: unknown): RestFailure {
    if (given === undefined) return handlerRefusal(400, `${this.#expected()}\nCaused by: the body is no JSON.`)
    const type = `${PACKAGES[this.#body]}.${this.#body}`
    const what = `Cannot deserialize value of type \`${type}\` from ${kindOf(given)}`
    return handlerRefusal(400, `${this.#expected()}\nCaused by: ${JACKSON}.exc.MismatchedInputException: ${what}`)
  }

  #notA(javaType: string, field: string, value: unknown, why?: string): RestFailure {
    const what = `Cannot deserialize value of type \`${javaType}\` from ${kindOf(value)}${why === undefined ? '' : `: ${why}`}`
    return this.#unreadable(`${JACKSON}.exc.InvalidFormatException: ${what}`, field)
  }

  #unreadable(why: string, field: string): RestFailure {
    const chain = `(through reference chain: ${PACKAGES[this.#body]}.${this.#body}["${field}"])`
    return handlerRefusal(400, `${this.#expected()}\nCaused by: ${why} ${chain}`)
  }

  #expected(): string {
    return `Request did not match expected format ${this.#body}.`
  }
}

const JACKSON = 'org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind'

/** In the words of Flink's JSON reader. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'Array value (token `JsonToken.START_ARRAY`)'
  if (typeof value === 'string') return `String "${echoed(value)}"`
  if (typeof value === 'number') return `Number value (${value})`
  if (typeof value === 'boolean') return `Boolean value (token \`JsonToken.VALUE_${String(value).toUpperCase()}\`)`
  return value === null ? 'Null value' : 'Object value (token `JsonToken.START_OBJECT`)'
}
