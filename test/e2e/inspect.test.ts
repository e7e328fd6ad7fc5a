/** `millrace inspect` over a checkpoint that a real job has kept. Real processes of the built package. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { millrace, workFolder } from './processes.ts'

const work = workFolder()
const checkpoints = join(work, 'checkpoints')
let folder = ''

/** Counts 1,000 words under 300 keys with a timer each, and suspends itself when it has seen them all. */
const JOB = `
import { DiscardingSink, defineSource, KeyedProcessFunction, StreamExecutionEnvironment, ValueStateDescriptor, WatermarkStrategy } from 'millrace'

let seen = 0
let allSeen
const all = new Promise((resolve) => { allSeen = resolve })
const words = defineSource({
  boundedness: 'continuous-unbounded',
  splits: () => ['words'],
  start: () => 0,
  async *read(split, position) {
    for (let at = position; at < 1000; at++) yield { value: 'word ' + (at % 300), position: at + 1 }
    await new Promise((resolve) => setTimeout(resolve, 20_000).unref())
  },
})
class Count extends KeyedProcessFunction {
  constructor(context) {
    super()
    this.count = context.getState(new ValueStateDescriptor('count', { default: () => 0 }))
  }
  processElement(word, context) {
    this.count.update(this.count.value() + 1)
    context.timerService().registerProcessingTimeTimer(9e12)
    if (++seen === 1000) allSeen()
  }
}
const env = StreamExecutionEnvironment.getExecutionEnvironment()
env.setParallelism(2)
env.enableCheckpointing(60_000).getCheckpointConfig().setCheckpointStorage(${JSON.stringify(checkpoints)})
env.fromSource(words, WatermarkStrategy.noWatermarks(), 'words').uid('words')
  .keyBy((word) => word).process((context) => new Count(context)).uid('count').name('count words')
  .sinkTo(new DiscardingSink())
const client = await env.executeAsync('word count')
await all
await client.suspend()
`

beforeAll(async () => {
  const home = join(work, 'job')
  mkdirSync(home)
  writeFileSync(join(home, 'job.mjs'), JOB)
  await millrace(['run', '--no-rest', 'job.mjs'], { cwd: home })
  const [job] = readdirSync(checkpoints)
  const names = readdirSync(join(checkpoints, job ?? ''))
  folder = join(checkpoints, job ?? '', names.find((name) => name.startsWith('chk-')) ?? 'none')
})

describe('millrace inspect', () => {
  it('shows what the checkpoint of a job holds', async () => {
    const { code, stdout, stderr } = await millrace(['inspect', folder, '--json'])
    expect([code, stderr]).toEqual([0, ''])
    const report = JSON.parse(stdout)
    expect(report).toMatchObject({ verified: true, jobName: 'word count', kind: 'checkpoint', path: folder })
    const count = report.operators.find(({ uid }: { uid: string }) => uid === 'count')
    expect(count).toMatchObject({ name: 'count words', parallelism: 2, subtasks: 2, finishedSubtasks: 0 })
    expect(count.keyedStates).toMatchObject([
      { kind: 'value', name: 'count', entries: 300 },
      { kind: 'timers', name: 'timers/event', entries: 0 },
      { kind: 'timers', name: 'timers/processing', entries: 300 },
    ])
    const words = report.operators.find(({ uid }: { uid: string }) => uid === 'words')
    expect(words.coordinatorBytes).toBeGreaterThan(0)
  })

  it('prints the entries of a state, and one of them', async () => {
    const { code, stdout } = await millrace(['inspect', folder, '--state', 'count'])
    expect(code).toBe(0)
    const entries = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(entries).toHaveLength(300)
    expect(entries.reduce((sum, { value }) => sum + value, 0)).toBe(1000)
    const one = await millrace(['inspect', folder, '--state', 'count/count', '--key', 'word 7'])
    expect(JSON.parse(one.stdout)).toMatchObject({ key: 'word 7', value: 4 })
  })

  it('refuses damage by the name of the file, and unknown options', async () => {
    const file = join(folder, '_metadata')
    const good = readFileSync(file)
    const bad = Buffer.from(good)
    bad[100] = (bad[100] as number) ^ 1
    writeFileSync(file, bad)
    const damaged = await millrace(['inspect', folder])
    writeFileSync(file, good)
    expect([damaged.code, damaged.stdout]).toEqual([1, ''])
    expect(damaged.stderr).toContain(`CHECKPOINT_DAMAGED: The checkpoint file '${file}' is damaged (changed)`)
    expect((await millrace(['inspect', folder, '--nope'])).code).toBe(2)
    expect((await millrace(['inspect', join(work, 'nowhere')])).code).toBe(1)
  })

  it('leaves the folder as it was', async () => {
    const before = readdirSync(folder)
    await millrace(['inspect', folder])
    expect(readdirSync(folder)).toEqual(before)
  })
})
