/** A REST interface that tests hand to a command: nothing of it is real, and every request is written down. */
import { setImmediate } from 'node:timers/promises'
import type { HttpAnswer, HttpClient, HttpRequest } from '../../../src/base/http-client.ts'
// Loaded before a clock is driven.
import '../../../src/cli/rest-command.ts'
import { type FakeRun, type FakeRunOptions, runCommand } from './fake-process.ts'

/** A status and what is sent as JSON; a text is sent as it is. A function answers, or throws, itself. */
export type StubAnswer = readonly [status: number, body: unknown] | (() => HttpAnswer)

export interface StubRun {
  readonly code: number
  readonly out: string
  readonly err: string
  /** `POST /v1/jobs/…/stop {"drain":false}` */
  readonly requests: readonly string[]
  readonly sent: readonly HttpRequest[]
  /** When each request came, in milliseconds from the start. */
  readonly times: readonly number[]
  readonly run: FakeRun
}

/** Runs the command against the answers, in their order, the last one again and again; drives the clock to its end. */
export async function runAgainst(
  argv: readonly string[],
  answers: readonly StubAnswer[],
  options: FakeRunOptions = {},
): Promise<StubRun> {
  const sent: HttpRequest[] = []
  const times: number[] = []
  const http: HttpClient = {
    async request(request) {
      sent.push(request)
      times.push(run.clock.now())
      const answer = answers[Math.min(sent.length, answers.length) - 1]
      if (answer === undefined) throw new Error(`no request was expected: ${request.url}`)
      if (typeof answer === 'function') return answer()
      const [status, body] = answer
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      return { status, contentType: 'application/json', location: undefined, text }
    },
  }
  const run = runCommand(argv, { http, ...options })
  const code = await driven(run)
  const requests = sent.map(({ method, url, body }) => `${method} ${url.replace(/^https?:\/\/[^/]+/, '')} ${body}`)
  return { code, out: run.out(), err: run.err(), requests, sent, times, run }
}

/** Lets time pass whenever nothing else can happen. */
async function driven(run: FakeRun): Promise<number> {
  let code: number | undefined
  run.code.then((ended) => {
    code = ended
  })
  for (let turn = 0; turn < 10_000; turn++) {
    await setImmediate()
    if (code !== undefined) return code
    run.clock.runNext()
  }
  throw new Error('the command does not end')
}
