/** Every command that the real Flink's command line was recorded with: the same arguments, requests, output, exit code. */
import { describe, expect, it } from 'vitest'
import { recordedCommands, recordings } from '../../fixtures/flink-rest/recordings.ts'
import { runAgainst, type StubAnswer } from './rest-server-stub.ts'

interface RecordedCommand {
  readonly argv: readonly string[]
  readonly code: number
  readonly out: string
  /** Up to Flink's sentence about the command. */
  readonly errHead: string
  readonly requests: readonly string[]
  readonly answers: readonly (readonly [status: number, text: string])[]
}

const COMMANDS = /^(list|savepoint|checkpoint|cancel|stop)\b/
const texts = Object.entries(recordedCommands()).filter(([name]) => COMMANDS.test(name))

function parsed(text: string): RecordedCommand {
  const [head = '', out = '', err = '', exchanges = ''] = text.split(/^--- (?:stdout|stderr|requests)\n/m)
  const exchanged = exchanges
    .split('\n')
    .map((line) => /^(.*?) -> (\d+) (.*)$/.exec(line))
    .filter((match) => match !== null)
  return {
    argv: (/^\$ flink (.*)$/m.exec(head)?.[1] ?? '').replace('<rest-address>', 'localhost:8081').split(' '),
    code: Number(/^exit code: (\d+)$/m.exec(head)?.[1]),
    out,
    errHead: headOf(err),
    requests: exchanged.map(([, request = '']) => request),
    answers: exchanged.map(([, , status = '', answer = '']) => [Number(status), answer]),
  }
}

/** Blank line, rule, heading, blank line, Flink's sentence; behind it Flink has a stack trace. */
const headOf = (err: string): string => err.split('\n').slice(0, 5).join('\n').trimEnd()

/** Long answers were cut off when they were recorded: what stands for them says the same to a client. */
function answersOf({ argv, out, answers }: RecordedCommand): StubAnswer[] {
  return answers.map(([status, text]) => {
    if (!text.endsWith('…')) return [status, text]
    if (argv[0] === 'list') return [status, jobsOf(out)]
    if (status >= 400) return [status, { errors: ['refused'] }]
    const name = argv[0] === 'checkpoint' ? 'checkpoint-unknown-job-completed' : 'stop-bad-directory-completed'
    return [status, recordings('async')[name]?.body]
  })
}

/** The jobs of a printed list, in another order. */
function jobsOf(out: string): unknown {
  const rows = [...out.matchAll(/^(\d\d)\.(\d\d)\.(\d{4}) (\d\d):(\d\d):(\d\d) : (\w{32}) : (.*) \((\w+)\)$/gm)]
  const jobs = rows.map(([, day, month, year, hour, minute, second, jid, name, state]) => {
    const numbers = [year, Number(month) - 1, day, hour, minute, second].map(Number)
    const [y = 0, m = 0, d = 0, h = 0, min = 0, s = 0] = numbers
    return { jid, name, state, 'start-time': new Date(y, m, d, h, min, s).getTime() + 580 }
  })
  const [first, ...rest] = jobs
  // Two of the same second keep their order.
  return { jobs: first === undefined ? [] : [...rest, first] }
}

describe('a command that was recorded with a real Flink', () => {
  it.each(texts)('%s: has the same requests, output and exit code', async (_name, text) => {
    const recorded = parsed(text)
    const shown = await runAgainst(recorded.argv, answersOf(recorded))
    expect(shown.out).toBe(recorded.out)
    expect(shown.code).toBe(recorded.code)
    expect(shown.requests).toEqual(recorded.requests)
    expect(headOf(shown.err)).toBe(recorded.errHead)
  })

  it('is one of 39, of which 32 send requests', () => {
    expect(texts).toHaveLength(39)
    expect(texts.filter(([, text]) => parsed(text).requests.length > 0)).toHaveLength(32)
  })
})
