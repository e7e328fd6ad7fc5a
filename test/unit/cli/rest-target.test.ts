import { describe, expect, it } from 'vitest'
import { runCommand } from './fake-process.ts'
import { runAgainst, type StubAnswer } from './rest-server-stub.ts'

const JOB = 'abcdef00000000000000000000000000'
const NO_JOBS: StubAnswer = [200, { jobs: [] }]
const ACCEPTED: StubAnswer = [202, { 'request-id': 'c'.repeat(32) }]
const HELP = '\n\nUse the help option (-h or --help) to get help on the command.\n'

describe('the address of a command', () => {
  it.each([
    [['-m', 'flink:80'], {}, 'http://flink/v1/jobs/overview'],
    [['-m', '[::1]:9000'], {}, 'http://[::1]:9000/v1/jobs/overview'],
    [['--jobmanager=https://h/flink/'], {}, 'https://h/flink/v1/jobs/overview'],
    [[], { MILLRACE_ADDRESS: 'h:1' }, 'http://h:1/v1/jobs/overview'],
    [['-m', 'h:2'], { MILLRACE_ADDRESS: 'h:1' }, 'http://h:2/v1/jobs/overview'],
    [['-Drest.port=9'], { MILLRACE_ADDRESS: 'h:1' }, 'http://localhost:9/v1/jobs/overview'],
    [['-D', 'rest.address=h'], {}, 'http://h:8081/v1/jobs/overview'],
    [[], { MILLRACE_ADDRESS: '' }, 'http://localhost:8081/v1/jobs/overview'],
  ])('%j with %j is %s', async (words, environment, url) => {
    const { sent, code } = await runAgainst(['list', ...words], [NO_JOBS], { environment })
    expect(code).toBe(0)
    expect(sent.map((request) => request.url)).toEqual([url])
  })

  it.each(['garbage', 'h:99999', 'ftp://h:1', 'h:1/x', 'h:1?x', 'https://h/?x=1', 'http://', 'a b:1', 'h:1#x'])(
    'is not %j',
    async (address) => {
      const byArgument = await runAgainst(['list', '-m', address], [])
      expect([byArgument.code, byArgument.out]).toEqual([1, ''])
      expect(byArgument.err).toContain(`COMMAND_INVALID: The address '${address}' (-m) is neither`)
      const { err } = await runAgainst(['list'], [], { environment: { MILLRACE_ADDRESS: address } })
      expect(err).toContain(`The address '${address}' ($MILLRACE_ADDRESS)`)
    },
  )

  it('holds no password, and one that does is not repeated', async () => {
    for (const address of ['http://user:geheim@h:1', 'user:geheim@h:1']) {
      const { err, code } = await runAgainst(['list', '-m', address], [])
      expect(code).toBe(1)
      expect(err).toContain('holds a user or a password')
      expect(err).not.toContain('geheim')
    }
  })
})

describe('the token of a command', () => {
  const files = { '/work/token': 'of-file\n', '/etc/token': 'of-environment', '/work/empty': '\n' }
  const authorization = async (words: readonly string[], environment: Readonly<Record<string, string>>) => {
    const { sent } = await runAgainst(['list', ...words], [NO_JOBS], { environment, files })
    return sent.map(({ headers }) => headers.Authorization)
  }

  it('comes from a file or the environment, the file of an argument first', async () => {
    expect(await authorization([], {})).toEqual([undefined])
    expect(await authorization([], { MILLRACE_TOKEN: 's3cret' })).toEqual(['Bearer s3cret'])
    expect(await authorization([], { MILLRACE_TOKEN_FILE: '/etc/token' })).toEqual(['Bearer of-environment'])
    const both = { MILLRACE_TOKEN: 's3cret', MILLRACE_TOKEN_FILE: '/etc/token' }
    expect(await authorization([], both)).toEqual(['Bearer s3cret'])
    expect(await authorization(['--token-file', 'token'], both)).toEqual(['Bearer of-file'])
  })

  it.each([
    [['--token-file', 'nowhere'], {}, "The token file '/work/nowhere' (--token-file) is not there."],
    [['--token-file', 'empty'], {}, 'The token (/work/empty, --token-file) is empty'],
    [[], { MILLRACE_TOKEN: 'geheim\r\nX: y' }, 'The token ($MILLRACE_TOKEN) is empty or holds a character'],
  ])('is refused before anything is sent: %j %j', async (words, environment, message) => {
    const { err, code, requests } = await runAgainst(['list', ...words], [], { environment, files })
    expect([code, requests]).toEqual([1, []])
    expect(err).toContain(`error COMMAND_INVALID: ${message}`)
    expect(err).not.toContain('geheim')
  })

  it('is never shown, whatever goes wrong', async () => {
    const environment = { MILLRACE_TOKEN: 's3cret', MILLRACE_DEBUG: '1' }
    const { err, out } = await runAgainst(['list'], [[401, { errors: ['no'] }]], { environment })
    expect(err + out).not.toContain('s3cret')
  })
})

describe('a request', () => {
  it('has the headers of the real client, a JSON body also when it only asks, and an end', async () => {
    const { sent } = await runAgainst(['list'], [NO_JOBS])
    expect(sent[0]).toMatchObject({
      method: 'GET',
      body: '{}',
      headers: { 'Content-Type': 'application/json; charset=UTF-8', Connection: 'close' },
      maxBytes: 16_777_216,
    })
  })
})

describe('arguments that Flink takes', () => {
  const savepoint = (directory: string | null, formatType: string, cancel = false) =>
    JSON.stringify({ 'target-directory': directory, 'cancel-job': cancel, formatType, triggerId: null })
  const stop = (targetDirectory: string | null, drain: boolean, formatType = 'CANONICAL') =>
    JSON.stringify({ targetDirectory, drain, formatType, triggerId: null })

  it.each([
    [['savepoint', '-type=native', JOB], savepoint(null, 'NATIVE')],
    [['savepoint', JOB, '/d', '--type', 'Canonical'], savepoint('/d', 'CANONICAL')],
    [['savepoint', '-detached', JOB.toUpperCase()], savepoint(null, 'CANONICAL')],
    [['savepoint', `${JOB}0`], savepoint(null, 'CANONICAL')],
    [['cancel', '-s', JOB], savepoint(null, 'CANONICAL', true)],
    [['cancel', JOB, '-s'], savepoint(null, 'CANONICAL', true)],
    [['cancel', JOB, '--withSavepoint=/d', '-type', 'native'], savepoint('/d', 'NATIVE', true)],
    [['stop', '-p', JOB], stop(null, false)],
    [['stop', JOB, '-p', '-d'], stop(null, true)],
    [['stop', '--drain', '--savepointPath', '/d', '-type', 'native', JOB], stop('/d', true, 'NATIVE')],
    [['stop', JOB, '/ignored'], stop(null, false)],
    [['checkpoint', JOB, '--full'], '{"checkpointType":"FULL","triggerId":null}'],
    [['checkpoint', '-v', JOB, 'ignored'], '{"checkpointType":"CONFIGURED","triggerId":null}'],
    [['savepoint', '-j', 'x.jar', '-d', '/s', JOB], '{"savepoint-path":"/s"}'],
    [['savepoint', '--dispose=/s'], '{"savepoint-path":"/s"}'],
  ])('%j: sends %s', async (argv, body) => {
    const ended: StubAnswer = [
      200,
      { status: { id: 'COMPLETED' }, operation: { location: 'file:/s', checkpointId: 7 } },
    ]
    const { sent, code } = await runAgainst(argv, [ACCEPTED, ended])
    expect(code).toBe(0)
    expect(sent[0]?.body).toBe(body)
    if (!body.includes('savepoint-path')) expect(sent[0]?.url).toContain(`/v1/jobs/${JOB}/`)
  })

  it('are ignored where there are too many, and that is said', async () => {
    const { out } = await runAgainst(['savepoint', '-detached', JOB, '/d', 'more'], [ACCEPTED])
    expect(out).toMatch(/^Provided more arguments than required\. Ignoring not needed arguments\.\nTriggering/)
  })

  it('may stand behind two dashes, and are no options there', async () => {
    const { sent } = await runAgainst(['savepoint', '-detached', '--', JOB, '-type'], [ACCEPTED])
    expect(sent[0]?.body).toBe(savepoint('-type', 'CANONICAL'))
    expect((await runAgainst(['cancel', '--', JOB], [[202, {}]])).code).toBe(0)
  })
})

describe('arguments that Flink refuses', () => {
  it.each([
    [['list', '--nope'], 'Unrecognized option: --nope'],
    [['cancel', JOB, '-detached'], 'Unrecognized option: -detached'],
    [['savepoint', '-type'], 'Missing argument for option: type'],
    [['savepoint', '-d', '-m', 'h:1'], 'Missing argument for option: d'],
    [['savepoint', '-detached'], 'Missing JobID. Specify a Job ID to trigger a savepoint.'],
    [['stop', '-p'], 'Missing JobId'],
    [
      ['cancel', '-s'],
      'DEPRECATION WARNING: Cancelling a job with savepoint is deprecated. Use "stop" instead.\nMissing JobId',
    ],
    [
      ['stop', `${JOB}00`],
      `Cannot parse JobID from "${JOB}00". The expected format is [0-9a-fA-F]{32}, e.g. fd72014d4c864993a2e5a9287b4a9c5d.`,
    ],
  ])('%j: are refused on standard output', async (argv, words) => {
    const { out, err, code } = await runAgainst(argv, [])
    expect(out).toBe(words + HELP)
    expect([err, code]).toEqual(['', 1])
  })

  it('a format that there is none of', async () => {
    const { err, code } = await runAgainst(['savepoint', '-type', 'foo', JOB], [])
    expect(code).toBe(1)
    expect(err).toContain(
      " The program finished with the following exception:\n\nerror COMMAND_INVALID: -type cannot be 'foo'.",
    )
  })
})

describe('the jobs of a list', () => {
  const jobs = ['SUSPENDED', 'CREATED', 'RUNNING', 'CANCELLING', 'FAILED', 'LATER'].map((state, index) => {
    return { jid: String(index).repeat(32), name: state, state, 'start-time': index % 2 }
  })
  const names = (out: string) =>
    out.split('\n').map((line) => /: (\w+) \(/.exec(line)?.[1] ?? line.replaceAll(/-+/g, '').trim())

  it('stand in groups by state, oldest first, then by state', async () => {
    const { out } = await runAgainst(['list', '-a'], [[200, { jobs }]])
    expect(names(out)).toEqual([
      'Waiting for response...',
      'Running/Restarting Jobs',
      ...['RUNNING', 'SUSPENDED', 'CANCELLING', 'LATER', ''],
      'Scheduled Jobs',
      ...['CREATED', ''],
      'Terminated Jobs',
      ...['FAILED', '', ''],
    ])
  })

  it('that have ended are shown only when they are asked for', async () => {
    expect((await runAgainst(['list', '-s'], [[200, { jobs }]])).out).not.toMatch(/FAILED|RUNNING/)
    expect((await runAgainst(['list', '-r'], [[200, { jobs }]])).out).not.toMatch(/FAILED|CREATED/)
  })
})

describe('help', () => {
  it.each(['list', 'savepoint', 'checkpoint', 'cancel', 'stop'])('of %s names its options', async (name) => {
    const run = runCommand([name, '--help'])
    expect(await run.code).toBe(0)
    expect(run.out()).toMatch(new RegExp(`^Usage: millrace ${name} \\[options\\]`))
    expect(run.out()).toContain('-m, --jobmanager <host:port>')
    expect(run.out()).toContain('$MILLRACE_TOKEN')
  })
})
