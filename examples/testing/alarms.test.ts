/** Tests of the job in alarms.ts: its function by itself, the function in every way in which it may be run, the whole job. */
import { CollectSink, defineSource, FileSink, type RuntimeContext } from 'millrace'
import { crashAt, failingSink, failingSource, fullDisk, KeyedOneInputHarness, MiniCluster } from 'millrace/testing'
import { expect, test } from 'vitest'
import { alarms, type Reading, SilenceAlarm } from './alarms.ts'

const reading = (sensor: string, atMs: number): Reading => ({ sensor, celsius: 20, atMs })

test('a sensor that says nothing for a minute raises an alarm', async () => {
  await using harness = new KeyedOneInputHarness({
    create: (context) => new SilenceAlarm(context),
    keyBy: ({ sensor }) => sensor,
  })
  harness.processElement(reading('roof', 1_000), 1_000)
  harness.processElement(reading('cellar', 30_000), 30_000)
  harness.processWatermark(60_999)
  expect(harness.output()).toEqual([])
  harness.processWatermark(61_000)
  expect(harness.output()).toEqual(['roof is silent since 1000'])
})

const silence = {
  create: (context: RuntimeContext) => new SilenceAlarm(context),
  keyBy: ({ sensor }: Reading) => sensor,
}

test('timers and state survive a restore in three subtasks', async () => {
  await using before = new KeyedOneInputHarness(silence)
  before.processElement(reading('roof', 1_000), 1_000)
  const restoreFrom = await before.snapshot(1)

  await using after = new KeyedOneInputHarness({ ...silence, parallelism: 3, restoreFrom })
  after.processWatermark(61_000)
  expect(after.output()).toEqual(['roof is silent since 1000'])
})

test('the alarm comes to the same in every way in which a job may run it', async () => {
  await KeyedOneInputHarness.verify(silence, {
    input: [
      { value: reading('roof', 1_000), timestamp: 1_000 },
      { value: reading('cellar', 30_000), timestamp: 30_000 },
      { watermark: 61_000 },
      { value: reading('cellar', 70_000), timestamp: 70_000 },
      { watermark: 130_000 },
    ],
    output: ['roof is silent since 1000', 'cellar is silent since 70000'],
  })
})

/** A reading of each of three sensors every second of the cluster's clock, for five minutes; the roof stops at 60 s. */
const readings = (cluster: MiniCluster) =>
  defineSource({
    boundedness: 'bounded',
    splits: () => ['roof', 'cellar', 'yard'],
    start: () => 0,
    async *read(sensor, position) {
      for (let second = position; second < 300; second++) {
        await cluster.sleep(1_000)
        const silent = sensor === 'roof' && second >= 60
        yield { value: reading(silent ? 'cellar' : sensor, second * 1_000), position: second + 1 }
      }
    },
  })

test('the job runs through five minutes at once', async () => {
  await using cluster = new MiniCluster()
  const env = cluster.environment()
  const results = new CollectSink<string>()
  alarms(env, readings(cluster), results)
  await cluster.until(env.execute('alarms'))
  expect(results.results()).toContain('roof is silent since 59000')
})

test('a failed source and a commit whose answer is lost cost no alarm and repeat none', async () => {
  await using cluster = new MiniCluster()
  const env = cluster.environment()
  env.enableCheckpointing('10 s')
  const results = new CollectSink<string>()
  alarms(env, failingSource(readings(cluster), 250), failingSink(results, { at: 'committed' }))
  await cluster.until(env.execute('alarms'))
  expect(results.results().filter((alarm) => alarm.startsWith('roof'))).toEqual(['roof is silent since 59000'])
})

/** Only names without a dot in front are finished files. */
function roofAlarms(cluster: MiniCluster): readonly string[] {
  const files = cluster.files.list('/alarms').filter((path) => path.includes('/part-'))
  const lines = files.flatMap((path) => cluster.files.read(path)?.trimEnd().split('\n') ?? [])
  return lines.filter((line) => line.startsWith('roof'))
}

test('a process that is killed, and a host that loses power, cost no alarm and repeat none', async () => {
  await using cluster = new MiniCluster({ configuration: { 'execution.checkpointing.dir': '/checkpoints' } })
  const start = () => {
    const env = cluster.environment()
    env.enableCheckpointing('10 s')
    alarms(env, readings(cluster), FileSink.forLines('/alarms'))
    return env.executeAsync('alarms', { resume: 'latest' })
  }
  await cluster.until(start())
  await cluster.advance(95_000)
  cluster.kill()
  cluster.restart()
  await cluster.until(start())
  cluster.inject(crashAt(({ type, path }) => type === 'sync' && path.startsWith('/alarms')))
  await cluster.untilKilled()
  cluster.kill({ powerLoss: 'posix' })
  cluster.restart()
  const job = await cluster.until(start())
  await cluster.until(job.getJobExecutionResult())
  expect(roofAlarms(cluster)).toEqual(['roof is silent since 59000'])
})

test('a disk that is full for a minute costs no alarm and repeats none', async () => {
  await using cluster = new MiniCluster({ configuration: { 'execution.checkpointing.dir': '/checkpoints' } })
  const env = cluster.environment()
  env.enableCheckpointing('10 s')
  alarms(env, readings(cluster), FileSink.forLines('/alarms'))
  const job = await cluster.until(env.executeAsync('alarms'))
  await cluster.advance(100_000)
  const thereIsRoom = cluster.inject(fullDisk(({ path }) => path.startsWith('/alarms')))
  await cluster.advance(60_000)
  thereIsRoom()
  await cluster.until(job.getJobExecutionResult())
  expect(cluster.eventsOf(job).some(({ type }) => type === 'restart.scheduled')).toBe(true)
  expect(roofAlarms(cluster)).toEqual(['roof is silent since 59000'])
})
