import { describe, expect, it } from 'vitest'
import { type HttpClient, HttpFailure } from '../../../src/base/http-client.ts'
import { recordings } from '../../fixtures/flink-rest/recordings.ts'
import { runAgainst, type StubAnswer } from './rest-server-stub.ts'

const JOB = '6366e588d71d3547199f8d710e4759a9'
const TRIGGER = 'c'.repeat(32)
const ACCEPTED: StubAnswer = [202, { 'request-id': TRIGGER }]
const IN_PROGRESS: StubAnswer = [200, { status: { id: 'IN_PROGRESS' }, operation: null }]
const COMPLETED: StubAnswer = [200, { status: { id: 'COMPLETED' }, operation: { location: 'file:/s/savepoint-1' } }]
const completed = (operation: unknown): StubAnswer => [200, { status: { id: 'COMPLETED' }, operation }]
const failing = (code: string) => (): never => {
  throw new HttpFailure(code, `connect ${code}`)
}

/** What stands behind Flink's heading and its sentence. */
const reasons = (err: string): readonly string[] => err.trimEnd().split('\n').slice(5)

describe('a savepoint that fails in the server', () => {
  it('is shown with the causes of the server, without what only wraps them', async () => {
    const body = recordings('async')['savepoint-bad-directory-completed']?.body
    const { err, code } = await runAgainst(['savepoint', JOB, 'file:///x'], [ACCEPTED, [200, body]])
    expect(code).toBe(1)
    expect(err).toBe(
      [
        '',
        '------------------------------------------------------------',
        ' The program finished with the following exception:',
        '',
        `org.apache.flink.util.FlinkException: Failed to trigger a savepoint for the job ${JOB}.`,
        `error REST_OPERATION_FAILED: It was begun, and failed there (GET http://localhost:8081/v1/jobs/${JOB}/savepoints/${TRIGGER}).`,
        '  hint: What failed stands below; the log of the job may say more.',
        '  caused by org.apache.flink.runtime.checkpoint.CheckpointException: An Exception occurred while triggering the checkpoint. IO-problem detected.',
        '  caused by java.io.IOException: Failed to create savepoint directory at file:<not-a-directory>/deeper',
        '  caused by java.nio.file.FileAlreadyExistsException: <not-a-directory>',
        '',
      ].join('\n'),
    )
  })

  it('is shown with its stack traces when MILLRACE_DEBUG is set', async () => {
    const cause = { class: 'a.B', 'stack-trace': 'a.B: full\n\tat a.C.d(C.java:7)\n' }
    const answers = [ACCEPTED, completed({ 'failure-cause': cause })]
    const { err } = await runAgainst(['stop', JOB], answers, { environment: { MILLRACE_DEBUG: '1' } })
    expect(err).toContain('    a.B: full\n        at a.C.d(C.java:7)\n')
    expect((await runAgainst(['stop', JOB], answers)).err).not.toContain('C.java')
  })

  it('may be a checkpoint, whose failure has another key', async () => {
    const body = recordings('async')['checkpoint-unknown-job-completed']?.body
    const { err } = await runAgainst(['checkpoint', JOB], [ACCEPTED, [200, body]])
    expect(reasons(err).at(-1)).toBe(
      '  caused by org.apache.flink.runtime.messages.FlinkJobNotFoundException: Could not find Flink job (00000000000000000000000000000000)',
    )
  })
})

describe('a refusal of the server', () => {
  it.each([
    ['savepoint-no-directory', 'Name a directory for the savepoint'],
    ['unknown-job', 'millrace list -a shows the jobs'],
  ])('%s: is shown in its words, with what to do', async (name, hint) => {
    const { status, body } = recordings('errors')[name] ?? expect.unreachable()
    const { err } = await runAgainst(['savepoint', JOB], [[status, body]])
    const words = JSON.stringify(body).match(/Exception: (.*?)(\\n|")/)?.[1]
    expect(reasons(err)[0]).toBe(
      `error REST_REFUSED: POST http://localhost:8081/v1/jobs/${JOB}/savepoints was refused (${status}): ${words}`,
    )
    expect(reasons(err)[1]).toContain(`hint: ${hint}`)
  })

  it('names the token where there is none', async () => {
    const { err } = await runAgainst(['list'], [[401, { errors: ['Unauthorized'] }]])
    expect(err).toContain('$MILLRACE_TOKEN')
  })

  it('holds both texts of an error inside the server, without brackets', async () => {
    const inner = '<Exception on server side:\njava.lang.X: broke\n\tat a.b(C.java:1)\nEnd of exception on server side>'
    const { err } = await runAgainst(['list'], [[500, { errors: ['Internal server error.', inner] }]])
    expect(reasons(err)[0]).toMatch(/was refused \(500\): Internal server error\. broke$/)
  })

  it('is what it says also with status 200, and none with a further key', async () => {
    expect((await runAgainst(['cancel', JOB], [[200, { errors: ['no'] }]])).code).toBe(1)
    expect((await runAgainst(['cancel', JOB], [[202, { errors: [], more: 1 }]])).code).toBe(0)
  })
})

describe('an answer that no REST interface gives', () => {
  const html: StubAnswer = [404, '<h1>404</h1>']
  const redirection: StubAnswer = () => ({ status: 302, contentType: undefined, location: 'https://evil/', text: '' })
  it.each<[string, readonly string[], readonly StubAnswer[], string]>([
    ['HTML', ['list'], [html], "has status 404 and no errors in it: '<h1>404</h1>'"],
    ['a redirection', ['list'], [redirection], 'redirects to https://evil/ (302), which is not followed'],
    ['an array', ['list'], [[200, []]], "is no JSON object: '[]'"],
    ['a text that goes on and on', ['list'], [[200, 'x'.repeat(9999)]], `'${'x'.repeat(200)}' ...`],
    ['no jobs', ['list'], [[200, {}]], "has no list of 'jobs'"],
    ['a job without a name', ['list'], [[200, { jobs: [{ jid: 'a' }] }]], "without 'jid', 'name'"],
    ['no HTTP', ['list'], [failing('HPE_INVALID_CONSTANT')], 'is no HTTP (HPE_INVALID_CONSTANT)'],
    ['an endless answer', ['list'], [failing('ANSWER_TOO_LARGE')], 'is longer than 16777216 bytes'],
    ['a bad trigger id', ['stop', JOB], [[202, { 'request-id': '../../x' }]], "has no 'request-id'"],
    ['no status', ['stop', JOB], [ACCEPTED, [200, {}]], 'has no status'],
    ['an end without a result', ['stop', JOB], [ACCEPTED, completed(null)], 'says nothing of how'],
    ['an end without a location', ['stop', JOB], [ACCEPTED, completed({})], "without 'location'"],
    ['a checkpoint without an id', ['checkpoint', JOB], [ACCEPTED, completed({})], "without 'checkpointId'"],
    ['an empty failure', ['stop', JOB], [ACCEPTED, completed({ 'failure-cause': {} })], 'without its stack trace'],
  ])('%s: is a failure that says so', async (_name, argv, answers, words) => {
    const { err, code } = await runAgainst(argv, answers)
    expect(code).toBe(1)
    expect(reasons(err)[0]).toMatch(/^error REST_ANSWER_INVALID: /)
    expect(reasons(err)[0]).toContain(words)
  })

  it('is not: an empty answer to a cancellation', async () => {
    expect((await runAgainst(['cancel', JOB], [[204, '']])).code).toBe(0)
  })
})

describe('what a server sends', () => {
  it('moves no cursor and begins no line: names, paths and errors are escaped', async () => {
    const jobs = [{ jid: JOB, name: 'a\u001b[2Jb\r\nc\u202ed', state: 'RUNNING', 'start-time': 0 }]
    const list = await runAgainst(['list', '-r'], [[200, { jobs }]])
    expect(list.out).toContain(`${JOB} : a\\u{1b}[2Jb\\u{d}\\u{a}c\\u{202e}d (RUNNING)\n`)
    const stop = await runAgainst(['stop', JOB], [ACCEPTED, completed({ location: '/x\u001b]0;t\u0007' })])
    expect(stop.out).toContain('Path: /x\\u{1b}]0;t\\u{7}\n')
    const refused = await runAgainst(['list'], [[400, { errors: ['no\u001b[31m'] }]])
    expect(refused.err).toContain('no\\u{1b}[31m\n')
  })
})

describe('waiting for a savepoint', () => {
  it('asks after 10 ms, then twice as long each time, up to 2 s', async () => {
    const answers = [ACCEPTED, ...Array.from({ length: 11 }, () => IN_PROGRESS), COMPLETED]
    const { times, code } = await runAgainst(['savepoint', JOB], answers)
    const waits = times.slice(2).map((time, index) => time - (times[index + 1] ?? 0))
    expect(waits).toEqual([10, 20, 40, 80, 160, 320, 640, 1280, 2000, 2000, 2000])
    expect(code).toBe(0)
  })

  it('gives up after a minute, and says that the savepoint goes on', async () => {
    const { err, code, run } = await runAgainst(['savepoint', JOB], [ACCEPTED, IN_PROGRESS])
    expect(code).toBe(1)
    expect(run.clock.now()).toBe(60_000)
    expect(reasons(err)[0]).toBe(
      'error REST_TIMED_OUT: http://localhost:8081 has not come to an end within 1 min. What was begun there goes on.',
    )
    expect(run.clock.nextDeadlineMs()).toBeUndefined()
  })

  it('gives up also in the middle of a request', async () => {
    const silent: HttpClient = {
      request: ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new HttpFailure('ABORT_ERR', 'aborted')))
        }),
    }
    const { err, code, run } = await runAgainst(['list'], [], { http: silent })
    expect([code, run.clock.now()]).toEqual([1, 60_000])
    expect(reasons(err)[0]).toContain('REST_TIMED_OUT')
  })

  it('takes client.timeout instead', async () => {
    const { run } = await runAgainst(['savepoint', JOB, '-D', 'client.timeout=90s'], [ACCEPTED, IN_PROGRESS])
    expect(run.clock.now()).toBe(90_000)
  })

  it('leaves no timer behind when it has ended', async () => {
    const { run } = await runAgainst(['savepoint', JOB], [ACCEPTED, IN_PROGRESS, COMPLETED])
    expect(run.clock.nextDeadlineMs()).toBeUndefined()
  })
})

describe('a connection', () => {
  it.each([
    ['ECONNREFUSED', 'nothing listens at this address.', 'millrace run prints the address'],
    ['ENOTFOUND', 'the name of this host is not known.', '-m host:port'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is not trusted', 'NODE_EXTRA_CA_CERTS'],
    ['EPROTO', 'what listens there does not speak https.', '-m host:port'],
  ])('that ends with %s: fails at once, with what to do', async (code, words, hint) => {
    const { err, requests } = await runAgainst(['list'], [failing(code)])
    expect(requests).toHaveLength(1)
    expect(reasons(err)[0]).toContain(`error REST_UNREACHABLE: GET http://localhost:8081/v1/jobs/overview: ${words}`)
    expect(reasons(err)[1]).toContain(hint)
  })

  it('that breaks off is opened again for a question, never for a trigger', async () => {
    const question = await runAgainst(['savepoint', JOB], [ACCEPTED, failing('ECONNRESET'), COMPLETED])
    expect(question.code).toBe(0)
    expect(question.times).toEqual([0, 0, 3000])
    const begun = await runAgainst(['savepoint', JOB], [failing('ECONNRESET'), ACCEPTED])
    expect(begun.requests).toHaveLength(1)
    expect(begun.err).toContain('the connection broke off (ECONNRESET).')
  })
})

describe('a server that is not ready', () => {
  const notReady: StubAnswer = [503, { errors: ['not yet'] }]

  it('is asked again every three seconds, as often as Flink asks', async () => {
    const { requests, times, err } = await runAgainst(['savepoint', JOB, '-Dclient.timeout=10min'], [notReady])
    expect(requests).toHaveLength(21)
    expect(times.at(-1)).toBe(60_000)
    expect(err).toContain('was refused (503): not yet')
  })

  it('is asked as often as the options say, and is what a timeout names', async () => {
    const options = ['-Drest.retry.max-attempts=3', '-Drest.retry.delay=100ms']
    expect((await runAgainst(['list', ...options], [notReady])).times).toEqual([0, 100, 200, 300])
    const { err } = await runAgainst(['list', '-D', 'client.timeout=5s'], [notReady])
    expect(err).toMatch(/REST_TIMED_OUT: .*\n.*\n {2}caused by REST_REFUSED: .*not yet/)
  })

  it('is obeyed when it is', async () => {
    expect((await runAgainst(['savepoint', JOB], [notReady, ACCEPTED, COMPLETED])).code).toBe(0)
  })
})
