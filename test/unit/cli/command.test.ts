import { afterEach, describe, expect, test } from 'vitest'
import { StreamError } from '../../../src/base/errors.ts'
import { offerRunContext, type RunContext } from '../../../src/base/run-context.ts'
import { FakeJob, type FakeRunOptions, runCommand, settled } from './fake-process.ts'

afterEach(() => offerRunContext(undefined))

/** A job file that starts `job` and waits for its end, as `await env.execute()` does. */
const executing = (job: FakeJob, options: FakeRunOptions = {}): FakeRunOptions => ({
  ...options,
  job: async (context) => {
    context.jobStarted(job)
    await job.result
  },
})

describe('the exit code of millrace run', () => {
  test('is 0 for a job that finished', async () => {
    const job = new FakeJob()
    const run = runCommand(['run', 'job.js'], executing(job))
    await settled()
    job.end('FINISHED')
    await settled()
    run.idle()
    expect(await run.code).toBe(0)
    expect(run.err()).toContain('words: FINISHED after 1.5 s')
  })

  test('is 0 for a job that was cancelled on request', async () => {
    const job = new FakeJob()
    const run = runCommand(['run', 'job.js'], executing(job))
    await settled()
    await job.cancel()
    await settled()
    run.idle()
    expect(await run.code).toBe(0)
    expect(run.err()).not.toContain('error')
  })

  test('is 1 for a job that failed, which is shown once with its causes', async () => {
    const job = new FakeJob()
    const run = runCommand(['run', 'job.js'], executing(job))
    await settled()
    job.end('FAILED', new TypeError('boom'))
    await settled()
    run.idle()
    expect(await run.code).toBe(1)
    expect(run.err().match(/JOB_FAILED/g)).toHaveLength(1)
    expect(run.err()).toContain('caused by TypeError: boom')
  })

  test('is 1 for a job that failed, also where the job file catches it', async () => {
    const job = new FakeJob()
    const run = runCommand(['run', 'job.js'], {
      job: async (context) => {
        context.jobStarted(job)
        await job.result.catch(() => {})
      },
    })
    await settled()
    job.end('FAILED')
    await settled()
    run.idle()
    expect(await run.code).toBe(1)
  })

  test.each([
    [['run'], 'COMMAND_INVALID'],
    [[], 'COMMAND_INVALID'],
    [['dance'], 'COMMAND_INVALID'],
    [['run', '--prot', '1', 'job.js'], 'COMMAND_INVALID'],
    [['run', '-D', 'novalue', 'job.js'], 'COMMAND_INVALID'],
    [['run', '--port', '99999', 'job.js'], 'COMMAND_INVALID'],
    [['run', '-rm', 'LEGACY', 'job.js'], 'COMMAND_INVALID'],
    [['run', 'missing.js'], 'JOB_FILE_INVALID'],
    [['run', 'job.txt'], 'JOB_FILE_INVALID'],
    [['run', '-p', 'many', 'job.js'], 'CONFIG_INVALID'],
    [['run', '-D', 'execution.checkpointing.interval=soon', 'job.js'], 'CONFIG_INVALID'],
    [['run', '-c', 'missing.yaml', 'job.js'], 'CONFIG_FILE_MISSING'],
  ])('is 2 for %j', async (argv, errorCode) => {
    const run = runCommand(argv, { job: () => expect.unreachable('the job file must not be evaluated') })
    expect(await run.code).toBe(2)
    expect(run.err()).toContain(`error ${errorCode}: `)
    expect(run.out()).toBe('')
  })

  test('is 2 for a bad value in the file, with file and line', async () => {
    const files = { '/etc/m.yaml': 'a: 1\nparallelism.default: 0' }
    const run = runCommand(['run', '-c', '/etc/m.yaml', 'job.js'], { files })
    expect(await run.code).toBe(2)
    expect(run.err()).toContain('CONFIG_INVALID: /etc/m.yaml:2: parallelism.default cannot be 0.')
    expect(run.err()).toContain('hint: Legal is a whole number from 1 to 32768.')
  })

  test('is 2 for a job that is refused for its configuration, which is shown once', async () => {
    const error = new StreamError('CONFIG_INVALID', { message: 'no directory' })
    const run = runCommand(['run', 'job.js'], {
      job: (context) => {
        context.jobRefused('words', error)
        throw error
      },
    })
    await settled()
    run.idle()
    expect(await run.code).toBe(2)
    expect(run.err().match(/no directory/g)).toHaveLength(1)
  })

  test('is 0 where there is nothing left to do', async () => {
    const run = runCommand(['run', '--resume', 'job.js'], {
      job: (context) => context.jobSkipped('words', 'it has finished'),
    })
    await settled()
    run.idle()
    expect(await run.code).toBe(0)
    expect(run.err()).toContain('words: nothing to do: it has finished')
  })

  test('is 1 for a job file that throws, and for one that starts no job', async () => {
    const throwing = runCommand(['run', 'job.js'], {
      job: () => {
        throw new RangeError('oops')
      },
    })
    expect(await throwing.code).toBe(1)
    expect(throwing.err()).toMatch(
      /error JOB_FILE_FAILED: .*\n.*\n {2}caused by RangeError: oops\n {2}at .*command\.test\.ts:\d+/,
    )

    const empty = runCommand(['run', 'job.js'])
    await settled()
    empty.idle()
    expect(await empty.code).toBe(1)
    expect(empty.err()).toContain('error JOB_NOT_STARTED: The job file /work/job.js was evaluated to its end')
  })

  test('is 1 for a job file that waits for what can never come', async () => {
    const run = runCommand(['run', 'job.js'], { job: () => new Promise<void>(() => {}) })
    await settled()
    run.idle()
    expect(await run.code).toBe(1)
    expect(run.err()).toContain('waits for something that can never happen')
  })

  test('is 1 at once for an error that nobody caught', async () => {
    const run = runCommand(['run', 'job.js'], executing(new FakeJob()))
    await settled()
    run.uncaught(new Error('later'))
    expect(run.exits).toEqual([1])
    expect(run.err()).toContain('caused by later')
  })
})

describe('a job file that does not wait for its jobs', () => {
  test('may start one later, and another after that', async () => {
    const [first, second] = [new FakeJob('first'), new FakeJob('second')]
    let context: RunContext | undefined
    const run = runCommand(['run', 'job.js'], {
      job: (given) => {
        context = given
      },
    })
    await settled()
    context?.jobStarted(first)
    await settled()
    first.end('FINISHED')
    await settled()
    context?.jobStarted(second)
    await settled()
    run.clock.advance(60_000)
    await settled()
    expect(run.err()).not.toContain('left something open')
    second.end('FAILED')
    await settled()
    run.clock.advance(2_000)
    await settled()
    expect(run.err()).toContain('left something open')
    expect(await run.code).toBe(1)
    expect(run.err()).toContain('second: FAILED')
  })

  test('has two seconds for what it leaves open', async () => {
    const job = new FakeJob()
    const run = runCommand(['run', 'job.js'], executing(job))
    await settled()
    job.end('FINISHED')
    await settled()
    let ended = false
    run.code.then(() => {
      ended = true
    })
    run.clock.advance(1999)
    await settled()
    expect(ended).toBe(false)
    run.clock.advance(1)
    expect(await run.code).toBe(0)
    expect(run.err()).toContain('warning the job file has left something open')
  })
})

describe('a signal', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s suspends the job, and the exit code is %d', async (signal, code) => {
    const job = new FakeJob()
    const run = runCommand(['run', 'job.js'], executing(job))
    await settled()
    run.signal(signal)
    expect(await run.code).toBe(code)
    expect(job.suspendedWith).toEqual([8000])
    expect(run.err()).toContain('words: SUSPENDED')
    expect(run.exits).toEqual([])
  })

  test('that comes a second time ends at once', async () => {
    const job = new FakeJob()
    job.obeys = false
    const run = runCommand(['run', 'job.js'], executing(job))
    await settled()
    run.signal('SIGINT')
    expect(run.exits).toEqual([])
    run.signal('SIGTERM')
    expect(run.exits).toEqual([143])
    expect(job.suspendedWith).toHaveLength(1)
  })

  test('leaves the job ten seconds', async () => {
    const job = new FakeJob()
    job.obeys = false
    const run = runCommand(['run', 'job.js'], executing(job))
    await settled()
    run.signal('SIGTERM')
    run.clock.advance(9_999)
    expect(run.exits).toEqual([])
    run.clock.advance(1)
    expect(run.exits).toEqual([143])
    expect(run.err()).toContain('warning the job has not suspended within 10 s')
  })

  test('before a job runs ends at once', async () => {
    const run = runCommand(['run', 'job.js'], { job: () => new Promise<void>(() => {}) })
    await settled()
    run.signal('SIGINT')
    expect(run.exits).toEqual([130])
  })

  test('to a job that ends by itself first changes nothing', async () => {
    const job = new FakeJob()
    job.obeys = false
    const run = runCommand(['run', 'job.js'], executing(job))
    await settled()
    run.signal('SIGINT')
    job.end('FINISHED')
    expect(await run.code).toBe(0)
  })
})

describe('the job gets', () => {
  test('what the command line and the file say, its own arguments, and the options of its start', async () => {
    let context: RunContext | undefined
    const run = runCommand(
      [
        'run',
        '-p',
        '3',
        '-D',
        'pipeline.name=x=y',
        '--check',
        '-s',
        '/sp',
        '-n',
        '-rm',
        'CLAIM',
        '--takeover',
        'job.js',
        '-p',
        '9',
        '-rm',
      ],
      {
        files: { '/conf/millrace.yaml': 'parallelism.default: 2\nstate.backend: rocksdb' },
        environment: { MILLRACE_CONF_DIR: '/conf' },
        job: (given) => {
          context = given
        },
      },
    )
    await settled()
    run.idle()
    await run.code
    expect(run.argumentsOfJob).toEqual([['/work/job.js', '-p', '9', '-rm']])
    expect(context?.layers).toEqual([
      {
        level: 'command line',
        entries: [
          { key: 'pipeline.name', value: 'x=y' },
          { key: 'parallelism.default', value: '3' },
          { key: 'execution.debug-freeze', value: true },
        ],
      },
      {
        level: 'file',
        path: '/conf/millrace.yaml',
        entries: [
          { key: 'parallelism.default', value: 2, line: 1 },
          { key: 'state.backend', value: 'rocksdb', line: 2 },
        ],
      },
    ])
    expect(context?.options).toEqual({
      fromSavepoint: '/sp',
      allowNonRestoredState: true,
      claimMode: 'CLAIM',
      resume: undefined,
      takeover: true,
      rest: { port: undefined, dashboard: undefined },
    })
    expect(run.err()).toContain('/conf/millrace.yaml:2: state.backend is rocksdb, which means leveldb here.')
  })

  test('--resume, --no-rest and a logger that prints', async () => {
    let context: RunContext | undefined
    const run = runCommand(['run', '--resume', '--no-rest', 'job.js'], {
      job: (given) => {
        context = given
        given.logger.warn('careful')
        given.logger.debug('quiet')
      },
    })
    await settled()
    run.idle()
    await run.code
    expect(context?.options).toMatchObject({ resume: 'latest', rest: undefined })
    expect(run.err()).toContain('warning careful\n')
    expect(run.err()).not.toContain('quiet')
  })
})

describe('what is shown', () => {
  test('on a terminal is one line that is written over, off it when another line comes', async () => {
    const job = new FakeJob()
    const run = runCommand(['run', 'job.js'], executing(job, { terminal: true }))
    await settled()
    job.recordsIn = 12_345
    run.clock.advance(1000)
    job.emit({ type: 'restart.scheduled', delayMs: 10, atMs: 0, error: new Error('boom') })
    expect(run.err()).toContain(
      'words  RUNNING  12,345 in/s  6,173 out/s  checkpoint 7 (12 ms)  restarts 1  back-pressure 25%\r\u001b[Kwords: restarting in 10 ms after: boom\n',
    )
    job.end('FINISHED')
    await settled()
    run.idle()
    await run.code
    expect(run.out()).toBe('')
  })

  test('elsewhere is a plain line every ten seconds', async () => {
    const job = new FakeJob()
    const run = runCommand(['run', 'job.js'], executing(job))
    await settled()
    run.clock.advance(9_999)
    expect(run.err()).not.toContain('in/s')
    run.clock.advance(1)
    expect(run.err()).toContain('words: 0 in/s')
    expect(run.err()).not.toContain('\u001b')
    job.end('FINISHED')
    await settled()
    run.idle()
    await run.code
  })

  test('with --json is one object a line on standard output, and nothing elsewhere', async () => {
    const job = new FakeJob()
    const run = runCommand(['run', '--json', 'job.js'], executing(job))
    await settled()
    job.recordsIn = 10
    run.clock.advance(1000)
    job.emit({ type: 'restart.scheduled', delayMs: 10, atMs: 77, error: new Error('boom') })
    job.end('FINISHED')
    await settled()
    run.idle()
    await run.code
    const { jobId } = job
    expect(run.err()).toBe('')
    expect(
      run
        .out()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { type: 'job.started', atMs: 0, jobId, jobName: 'words' },
      {
        type: 'metrics',
        atMs: 1000,
        jobId,
        jobName: 'words',
        status: 'RUNNING',
        recordsInPerSecond: 10,
        recordsOutPerSecond: 5,
        ...{
          recordsIn: 10,
          recordsOut: 5,
          lastCheckpointId: 7,
          lastCheckpointDurationMs: 12,
          restarts: 1,
          backPressuredRatio: 0.25,
        },
      },
      { type: 'restart.scheduled', atMs: 77, jobId, delayMs: 10, error: expect.objectContaining({ message: 'boom' }) },
      { type: 'job.status', atMs: 0, jobId, status: 'FINISHED' },
      { type: 'job.ended', atMs: 1000, jobId, jobName: 'words', ending: 'finished', netRuntimeMs: 1500 },
      { type: 'exit', atMs: 1000, exitCode: 0 },
    ])
  })

  test('with --json also covers arguments that are not understood', async () => {
    const run = runCommand(['run', '--json', '--prot'])
    expect(await run.code).toBe(2)
    const [first, last] = run
      .out()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(first).toMatchObject({ type: 'error', error: { code: 'COMMAND_INVALID' } })
    expect(last).toEqual({ type: 'exit', atMs: 0, exitCode: 2 })
  })

  test.each([[['--help']], [['run', '--help']], [['help', 'run']]])(
    'for %j is help with an example, exit code 0',
    async (argv) => {
      const run = runCommand(argv)
      expect(await run.code).toBe(0)
      expect(run.out()).toMatch(/Usage: millrace[\s\S]*Example:\n {2}millrace run /)
    },
  )

  test('as help names every command', async () => {
    const run = runCommand(['--help'])
    await run.code
    for (const name of ['run', 'plan', 'inspect', 'list', 'savepoint', 'checkpoint', 'cancel', 'stop'])
      expect(run.out()).toMatch(new RegExp(`^ {2}${name}`, 'm'))
  })
})
