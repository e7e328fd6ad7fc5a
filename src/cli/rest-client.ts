/**
 * Requests to one REST interface within the time of one command: sends, repeats what may be repeated, turns every
 * failure into an error of the house.
 */
import type { Clock, Timer } from '../base/clock.ts'
import { formatDuration } from '../base/config/duration.ts'
import { StreamError } from '../base/errors.ts'
import { ANSWER_TOO_LARGE, type HttpClient, HttpFailure } from '../base/http-client.ts'
import { invalid, type JsonObject, objectOf } from './rest-answer.ts'

/** The list of some ten thousand jobs; Flink's client reads 100 MiB. */
const LONGEST_ANSWER_BYTES = 16 * 1024 * 1024
const NOT_READY = 503

export interface RestClientOptions {
  readonly http: HttpClient
  readonly clock: Clock
  /** Without a slash at its end: `http://localhost:8081`. */
  readonly address: string
  readonly token: string | undefined
  /** For all requests together, from now on. */
  readonly timeoutMs: number
  readonly retry: { readonly attempts: number; readonly delayMs: number }
}

export class RestClient {
  readonly #options: RestClientOptions
  readonly #headers: Readonly<Record<string, string>>
  readonly #timeUp = new AbortController()
  readonly #deadline: Timer
  /** Why a request was repeated: says more than that time is up. */
  #lastFailure: unknown

  constructor(options: RestClientOptions) {
    const { clock, timeoutMs, token } = options
    this.#options = options
    this.#headers = {
      'Content-Type': 'application/json; charset=UTF-8',
      Connection: 'close',
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    }
    this.#deadline = clock.setTimer(timeoutMs, () => this.#timeUp.abort())
  }

  /**
   * The answer to a request below `/v1`. Rejects with REST_UNREACHABLE, REST_REFUSED, REST_ANSWER_INVALID, or
   * REST_TIMED_OUT. A server that is not ready is asked again; so is a GET that lost its connection. A trigger that
   * lost it is not: it may have been begun.
   */
  async send(method: 'GET' | 'POST' | 'PATCH', path: string, body: JsonObject = {}): Promise<JsonObject> {
    const { attempts, delayMs } = this.#options.retry
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#exchange(method, path, body)
      } catch (thrown) {
        if (attempt >= attempts || !mayBeRepeated(thrown, method)) throw thrown
        this.#lastFailure = thrown
        await this.wait(delayMs)
      }
    }
  }

  /** For messages: `GET http://localhost:8081/v1/jobs/overview`. */
  describe(method: string, path: string): string {
    return `${method} ${this.#options.address}/v1${path}`
  }

  /** Rejects with REST_TIMED_OUT as soon as the time of the command is up. */
  wait(delayMs: number): Promise<void> {
    const { signal } = this.#timeUp
    return new Promise((resolve, reject) => {
      const timer = this.#options.clock.setTimer(delayMs, () => {
        signal.removeEventListener('abort', stop)
        resolve()
      })
      const stop = () => {
        timer.cancel()
        reject(this.#timedOut())
      }
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop, { once: true })
    })
  }

  /** Lets go of the timer. */
  close(): void {
    this.#deadline.cancel()
  }

  async #exchange(method: 'GET' | 'POST' | 'PATCH', path: string, body: JsonObject): Promise<JsonObject> {
    const { http, address } = this.#options
    const answer = await http
      .request({
        method,
        url: `${address}/v1${path}`,
        headers: this.#headers,
        body: JSON.stringify(body),
        signal: this.#timeUp.signal,
        maxBytes: LONGEST_ANSWER_BYTES,
      })
      .catch((thrown) => {
        throw this.#timeUp.signal.aborted ? this.#timedOut() : this.#noAnswer(thrown, this.describe(method, path))
      })
    return objectOf(answer, this.describe(method, path))
  }

  #timedOut(): StreamError {
    const { timeoutMs, address } = this.#options
    return new StreamError('REST_TIMED_OUT', {
      message: `${address} has not come to an end within ${formatDuration(timeoutMs)}. What was begun there goes on.`,
      hint: 'Look with millrace list -a; give it more time with -D client.timeout=10min.',
      details: { address, timeoutMs },
      ...(this.#lastFailure === undefined ? {} : { cause: this.#lastFailure }),
    })
  }

  #noAnswer(thrown: unknown, request: string): unknown {
    if (!(thrown instanceof HttpFailure)) return thrown
    const { code } = thrown
    if (code === ANSWER_TOO_LARGE) return invalid(request, `is longer than ${LONGEST_ANSWER_BYTES} bytes`)
    if (code.startsWith('HPE_')) return invalid(request, `is no HTTP (${code})`)
    return new StreamError('REST_UNREACHABLE', {
      message: `${request}: ${explained(code, thrown.message)}`,
      hint: isAboutCertificates(code)
        ? 'Name the authority that has signed it with NODE_EXTRA_CA_CERTS=FILE. It cannot be left unchecked.'
        : 'Is a job running there? millrace run prints the address of its REST interface; name it with -m host:port or $MILLRACE_ADDRESS.',
      details: { address: this.#options.address, code },
    })
  }
}

const BROKEN_OFF = ['ECONNRESET', 'EPIPE', 'ETIMEDOUT']

function mayBeRepeated(thrown: unknown, method: string): boolean {
  if (!StreamError.is(thrown)) return false
  if (thrown.code === 'REST_REFUSED') return thrown.details.status === NOT_READY
  return thrown.code === 'REST_UNREACHABLE' && method === 'GET' && BROKEN_OFF.includes(String(thrown.details.code))
}

function explained(code: string, message: string): string {
  if (code === 'ECONNREFUSED') return 'nothing listens at this address.'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the name of this host is not known.'
  if (BROKEN_OFF.includes(code)) return `the connection broke off (${code}).`
  if (code === 'EPROTO') return 'what listens there does not speak https.'
  if (isAboutCertificates(code)) return `its certificate is not trusted (${code}).`
  return `no connection (${code}): ${message}`
}

/** `DEPTH_ZERO_SELF_SIGNED_CERT`, `UNABLE_TO_VERIFY_LEAF_SIGNATURE` */
const isAboutCertificates = (code: string): boolean => code.includes('CERT') || code.startsWith('UNABLE_TO_')
