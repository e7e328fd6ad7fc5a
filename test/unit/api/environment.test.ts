import { afterEach, describe, expect, it } from 'vitest'
import { RestartStrategies } from '../../../src/api/restart-strategies.ts'
import { StreamExecutionEnvironment } from '../../../src/api/stream-execution-environment.ts'
import { offerRunContext, type RunContext } from '../../../src/base/run-context.ts'
import { VERSION } from '../../../src/base/version.ts'
import { Launchpad, layerOf } from './started-job.ts'

describe('an environment', () => {
  it('is empty again after execute, also when execute was refused', async () => {
    const { env, started } = new Launchpad()
    env.fromData([1, 2]).print()
    await env.execute('first')
    await expect(env.execute('second')).rejects.toMatchObject({ code: 'EMPTY_JOB' })
    env
      .fromData([1])
      .uid('same')
      .map((value) => value)
      .uid('same')
    await expect(env.execute('third')).rejects.toMatchObject({ code: 'DUPLICATE_UID' })
    await expect(env.execute('fourth')).rejects.toMatchObject({ code: 'EMPTY_JOB' })
    expect(started).toHaveLength(1)
  })

  it('refuses a stream that was declared before an earlier execute', async () => {
    const { env } = new Launchpad()
    const stream = env.fromData([1])
    stream.print()
    await env.execute()
    stream.map((value) => value)
    await expect(env.execute()).rejects.toMatchObject({ code: 'FOREIGN_STREAM' })
  })

  it('is a new one at each call', () => {
    const one = StreamExecutionEnvironment.getExecutionEnvironment()
    expect(StreamExecutionEnvironment.getExecutionEnvironment()).not.toBe(one)
  })

  it('names the job as execute says, else the configuration, else by a default', async () => {
    const named = async (jobName: string | undefined, options: Readonly<Record<string, unknown>>) => {
      const pad = new Launchpad({ layers: [layerOf('file', options)] })
      pad.env.fromData([1]).print()
      await pad.env.execute(jobName)
      return pad.last().options.jobName
    }
    expect(await named('mine', { 'pipeline.name': 'theirs' })).toBe('mine')
    expect(await named(undefined, { 'pipeline.name': 'theirs' })).toBe('theirs')
    expect(await named(undefined, {})).toBe('Millrace Streaming Job')
  })

  it('starts nothing when the signal was aborted before', async () => {
    const { env, started } = new Launchpad()
    env.fromData([1]).print()
    const signal = AbortSignal.abort('changed my mind')
    await expect(env.execute('job', { signal })).rejects.toMatchObject({
      code: 'JOB_CANCELED',
      cause: 'changed my mind',
    })
    expect(started).toEqual([])
  })

  it('hands over how the job starts: the code first, then the configuration', async () => {
    const pad = new Launchpad({ layers: [layerOf('file', { 'execution.savepoint.path': '/from/file' })] })
    pad.env.fromData([1]).print()
    await pad.env.execute('job')
    expect(pad.last().options.start).toEqual({
      fromSavepoint: '/from/file',
      allowNonRestoredState: false,
      claimMode: 'NO_CLAIM',
      resume: undefined,
      takeover: false,
    })
    pad.env.fromData([1]).print()
    await pad.env.execute('job', { fromSavepoint: '/mine', claimMode: 'CLAIM', allowNonRestoredState: true })
    expect(pad.last().options.start).toMatchObject({
      fromSavepoint: '/mine',
      claimMode: 'CLAIM',
      allowNonRestoredState: true,
    })
  })

  it.each<[string, (env: StreamExecutionEnvironment) => unknown, string]>([
    [
      'enableCheckpointing',
      (env) => env.enableCheckpointing(5),
      'enableCheckpointing (execution.checkpointing.interval) cannot be 5.',
    ],
    ['setParallelism', (env) => env.setParallelism(0), 'setParallelism (parallelism.default) cannot be 0.'],
    ['setMaxParallelism', (env) => env.setMaxParallelism(40_000), 'setMaxParallelism: 40000 is not legal here.'],
    ['configure', (env) => env.configure({ 'execution.channel-credit': 0 }), 'execution.channel-credit cannot be 0.'],
    ['an operator', (env) => env.fromData([1]).setParallelism(1.5), 'setParallelism: 1.5 is not legal here.'],
    ['uid', (env) => env.fromData([1]).uid(''), 'uid: "" is not legal here.'],
    [
      'map',
      (env) => Reflect.apply(env.fromData([1]).map, env.fromData([1]), ['text']),
      'map: "text" is not legal here.',
    ],
    [
      'process, given the function itself',
      (env) => Reflect.apply(env.fromData([1]).process, env.fromData([1]), [{ processElement() {} }]),
      'process: an object is not legal here.',
    ],
    [
      'process, given its class',
      (env) => Reflect.apply(env.fromData([1]).process, env.fromData([1]), [class Doubler {}]),
      'process: the class Doubler is not legal here.',
    ],
  ])('refuses a bad value at once: %s', (_name, act, message) => {
    expect(() => act(new Launchpad().env)).toThrow(expect.objectContaining({ message }))
  })
})

describe('the configuration of a job', () => {
  const layers = [
    layerOf('file', {
      'parallelism.default': 4,
      'execution.checkpointing.timeout': '4 s',
      'pipeline.max-parallelism': 444,
    }),
    layerOf('command line', { 'parallelism.default': 3, 'execution.checkpointing.timeout': '3 s' }),
  ]

  it('comes from the code, else the command line, else the file, else the default', async () => {
    const pad = new Launchpad({ layers })
    pad.env.configure({ 'parallelism.default': 2 })
    pad.env.fromSequence(1, 9).print()
    await pad.env.execute()
    const { configuration } = pad.last().options
    expect(configuration.get('parallelism.default')).toBe(2)
    expect(configuration.get('execution.checkpointing.timeout')).toBe(3000)
    expect(configuration.get('pipeline.max-parallelism')).toBe(444)
    expect(configuration.get('execution.checkpointing.min-pause')).toBe(0)
    expect(pad.last().graph.vertices[0]).toMatchObject({
      parallelism: 2,
      maxParallelism: 444,
      maxParallelismIsSet: true,
    })
  })

  it('takes a restart strategy with all its options from the level that named it', async () => {
    const strategies = [
      layerOf('file', { 'restart-strategy.type': 'fixed-delay', 'restart-strategy.fixed-delay.attempts': 9 }),
    ]
    const strategyOf = async (configure: (env: StreamExecutionEnvironment) => unknown) => {
      const pad = new Launchpad({ layers: strategies })
      configure(pad.env)
      pad.env.fromData([1]).print()
      await pad.env.execute()
      return pad.last().options.configuration.restartStrategy()
    }
    expect(await strategyOf((env) => env)).toEqual({ type: 'fixed-delay', attempts: 9, delayMs: 1000 })
    expect(await strategyOf((env) => env.setRestartStrategy(RestartStrategies.noRestart()))).toEqual({ type: 'none' })
    const changedMind = (env: StreamExecutionEnvironment) =>
      env.setRestartStrategy(RestartStrategies.noRestart()).setRestartStrategy(RestartStrategies.fallBackRestart())
    expect(await strategyOf(changedMind)).toMatchObject({ attempts: 9 })
  })

  it('understands older names; of one key the newest value counts', async () => {
    const pad = new Launchpad()
    pad.env.configure({ 'state.checkpoints.dir': '/old' }).getCheckpointConfig().setCheckpointStorage('/new')
    pad.env.fromData([1]).print()
    await pad.env.execute()
    expect(pad.last().options.configuration.get('execution.checkpointing.dir')).toBe('/new')
    pad.env.configure({ 'state.checkpoints.dir': '/newest' })
    pad.env.fromData([1]).print()
    await pad.env.execute()
    expect(pad.last().options.configuration.get('execution.checkpointing.dir')).toBe('/newest')
  })

  it('warns once about an unknown key, naming the nearest', async () => {
    const pad = new Launchpad()
    pad.env.configure({ 'parallelism.defualt': 3 })
    pad.env.fromData([1]).print()
    await pad.env.execute()
    expect(pad.lines).toEqual([
      'the code of the job: the key parallelism.defualt is not known and has no effect. Did you mean parallelism.default?',
    ])
  })
})

describe('under millrace run', () => {
  afterEach(() => offerRunContext(undefined))

  const context = (told: unknown[], change: Partial<RunContext> = {}): RunContext => ({
    version: VERSION,
    layers: [layerOf('command line', { 'parallelism.default': 7 })],
    options: {
      fromSavepoint: '/from/command',
      allowNonRestoredState: true,
      claimMode: 'CLAIM',
      resume: 'latest',
      takeover: true,
      rest: undefined,
    },
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    jobStarted: (job) => void told.push(['started', job.jobName]),
    jobRefused: (jobName, error) => void told.push(['refused', jobName, error]),
    jobSkipped: (jobName, reason) => void told.push(['skipped', jobName, reason]),
    ...change,
  })

  it('takes the configuration that was handed over', () => {
    offerRunContext(context([]))
    expect(StreamExecutionEnvironment.getExecutionEnvironment().getParallelism()).toBe(7)
    const configuration = { 'parallelism.default': 2 }
    expect(StreamExecutionEnvironment.getExecutionEnvironment({ configuration }).getParallelism()).toBe(2)
  })

  it('refuses a command of another major version', () => {
    offerRunContext(context([], { version: '99.0.0' }))
    expect(() => StreamExecutionEnvironment.getExecutionEnvironment()).toThrow(
      expect.objectContaining({ code: 'VERSIONS_DIFFER' }),
    )
  })

  it('tells the command of a job that starts, with the start that the command wants', async () => {
    const told: unknown[] = []
    const pad = new Launchpad({ run: context(told) })
    pad.env.fromData([1]).print()
    await pad.env.execute('mine')
    expect(told).toEqual([['started', 'mine']])
    expect(pad.last().options.start).toEqual({
      fromSavepoint: '/from/command',
      allowNonRestoredState: true,
      claimMode: 'CLAIM',
      resume: 'latest',
      takeover: true,
    })
  })

  it('tells the command of a job that had ended before: it is no failure', async () => {
    const told: unknown[] = []
    const pad = new Launchpad({ run: context(told), alreadyEnded: true })
    pad.env.fromData([1]).print()
    const client = await pad.env.executeAsync('done')
    expect(told).toEqual([['skipped', 'done', 'nothing left to do']])
    // The command says it; the log need not say it again.
    expect(pad.lines).toEqual([])
    expect(await client.getJobStatus()).toBe('FINISHED')
    expect(await client.getJobExecutionResult()).toEqual({ jobId: 'b'.repeat(32), netRuntimeMs: 0 })
    await expect(client.triggerCheckpoint()).rejects.toMatchObject({ code: 'CHECKPOINT_FAILED' })
  })

  it('elsewhere the log says that a job had ended before', async () => {
    const pad = new Launchpad({ alreadyEnded: true })
    pad.env.fromData([1]).print()
    await pad.env.executeAsync('done')
    expect(pad.lines).toEqual(['nothing left to do'])
  })

  it('tells the command of a job that is refused, with the very error', async () => {
    const told: unknown[] = []
    const pad = new Launchpad({ run: context(told) })
    const refusal = await pad.env.execute('empty').catch((error: unknown) => error)
    expect(told).toEqual([['refused', 'empty', refusal]])
  })
})
