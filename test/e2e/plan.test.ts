/**
 * `millrace plan` in a process of its own, on checkpoints that a real run has written; where it says that a restore would
 * fail, `millrace run` from the same place is asked, too.
 */
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Ended, millrace, workFolder } from './processes.ts'

const folder = workFolder()

/** Counts numbers by key; its arguments change what a restore looks at. Suspends itself when it has a checkpoint. */
const JOB = `
import { DataGeneratorSource, FileSink, RestartStrategies, StreamExecutionEnvironment, ValueStateDescriptor, ListStateDescriptor, WatermarkStrategy } from 'millrace'
const [uid = 'count', state = 'count', kind = 'value', max = '0'] = process.argv.slice(2)
const env = StreamExecutionEnvironment.getExecutionEnvironment()
env.enableCheckpointing(50).getCheckpointConfig().setCheckpointStorage(${JSON.stringify(join(folder, 'checkpoints'))})
env.setRestartStrategy(RestartStrategies.noRestart())
const counts = env
  .fromSource(new DataGeneratorSource((index) => index % 10, { ratePerSecond: 1000 }), WatermarkStrategy.noWatermarks(), 'numbers')
  .uid('numbers')
  .keyBy((value) => value)
  .process((ctx) => {
    const seen = kind === 'value' ? ctx.getState(new ValueStateDescriptor(state)) : ctx.getListState(new ListStateDescriptor(state))
    return { processElement(value, _ctx, out) { if (kind === 'value') seen.update(value); out.collect(value) } }
  })
  .uid(uid)
if (max !== '0') counts.setMaxParallelism(Number(max))
counts.sinkTo(FileSink.forJsonLines(${JSON.stringify(join(folder, 'output'))})).uid('sink')
const client = await env.executeAsync('numbers')
for await (const event of client.events()) if (event.type === 'checkpoint.completed') await client.suspend()
`

/** `job(name)` runs a job of three operators. */
const TINY_JOBS = `
import { StreamExecutionEnvironment } from 'millrace'
const job = (name) => {
  const env = StreamExecutionEnvironment.getExecutionEnvironment()
  env.fromData([1]).uid(name).map((value) => { console.log('a record'); return value }).uid(name + '-map').print().uid(name + '-print')
  return env.execute(name)
}
`

const job = join(folder, 'job.mjs')
writeFileSync(job, JOB)

let checkpoint: string | undefined
/** A checkpoint of the job, its state in files beside the metadata. */
async function stored(): Promise<string> {
  if (checkpoint !== undefined) return checkpoint
  const { code, stderr } = await millrace(['run', '-D', 'execution.checkpointing.data-inline-threshold=0', job])
  expect(code, stderr).toBe(0)
  const [jobId] = readdirSync(join(folder, 'checkpoints'))
  const of = join(folder, 'checkpoints', jobId ?? '')
  const newest = readdirSync(of)
    .filter((name) => name.startsWith('chk-'))
    .sort()
    .at(-1)
  checkpoint = join(of, newest ?? '')
  return checkpoint
}

/** A copy of the checkpoint, and the names of its state files. */
async function copied(name: string): Promise<{ readonly path: string; readonly files: readonly string[] }> {
  const path = join(folder, name)
  cpSync(await stored(), path, { recursive: true })
  return { path, files: readdirSync(path).filter((file) => file !== '_metadata') }
}

const plan = (from: string, ...more: readonly string[]) => millrace(['plan', job, '--from', from, ...more])

/** Name, size and time of every file below. */
function listing(): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => {
    const { size, mtimeMs } = statSync(join(folder, name))
    return `${name} ${size} ${mtimeMs}`
  })
}

const lastLines = ({ stdout }: Ended) => stdout.trimEnd().split('\n').slice(-2)

describe('A plan of a savepoint or checkpoint', () => {
  test('that fits succeeds, by folder, metadata and URI, and touches nothing', async () => {
    const path = await stored()
    const before = listing()
    for (const from of [path, join(path, '_metadata'), `file://${path}`]) {
      const ended = await plan(from)
      expect(ended).toMatchObject({ code: 0, stderr: '' })
      expect(ended.stdout).toMatch(/^ {2}count +matched +value$/m)
      expect(lastLines(ended).at(-1)).toBe('A restore would succeed.')
    }
    expect(listing()).toEqual(before)
  })

  test('with --json is one document', async () => {
    const ended = await plan(await stored(), '--json', '-p', '3')
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    const document = JSON.parse(ended.stdout)
    expect(document).toMatchObject({
      type: 'plan',
      version: 1,
      checkpoint: { jobName: 'numbers' },
      job: { name: 'numbers', otherNames: [], allowNonRestoredState: false },
      restore: { succeeds: true, error: null },
    })
    expect(document.operators[1]).toMatchObject({
      uid: 'count',
      change: 'matched',
      parallelism: { stored: 1, program: 3 },
      maxParallelism: { stored: 128, program: null },
      states: [{ type: 'keyed', name: 'count', change: 'matched', note: '' }, {}, {}],
      error: null,
    })
  })

  test.each([
    ['a renamed uid', ['renamed'], 'STATE_NOT_RESTORED'],
    ['another kind of state', ['count', 'count', 'list'], 'STATE_INCOMPATIBLE'],
    ['another max parallelism', ['count', 'count', 'value', '77'], 'MAX_PARALLELISM_CHANGED'],
  ])('fails for %s with the words of a run from there', async (_what, jobArguments, errorCode) => {
    const path = await stored()
    const planned = await plan(path, ...jobArguments)
    expect(planned.code).toBe(1)
    const verdict = planned.stdout.split('\n').find((line) => line.startsWith('A restore would fail: ')) ?? ''
    expect(verdict).toContain(errorCode)
    const ran = await millrace(['run', '-s', path, job, ...jobArguments])
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain(verdict.replace('A restore would fail: ', ''))
  })

  test('whose operator is renamed is left behind with -n, as a run does', async () => {
    const path = await stored()
    expect(await plan(path, '-n', 'renamed')).toMatchObject({ code: 0 })
    expect(await millrace(['run', '-n', '-s', path, job, 'renamed'])).toMatchObject({ code: 0 })
  })

  test('with a state of another name says that one starts empty and what becomes of the other', async () => {
    const { code, stdout } = await plan(await stored(), 'count', 'total')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^ {2}total +new, empty +value +starts empty$/m)
    expect(stdout).toMatch(/^ {2}count +not known +value +not asked for/m)
  })
})

describe('A plan of what is no good checkpoint', () => {
  const refused = async (path: string, file: string, code: string) => {
    const startMs = performance.now()
    const ended = await plan(path)
    expect(performance.now() - startMs).toBeLessThan(10_000)
    expect(ended).toMatchObject({ code: 1, stdout: '' })
    expect(ended.stderr).toMatch(new RegExp(`^error ${code}: `))
    expect(ended.stderr).toContain(file)
    const document = JSON.parse((await plan(path, '--json')).stdout)
    expect(document.restore).toMatchObject({ succeeds: false, error: { code } })
  }

  test('names the path that is missing', async () => {
    await refused(join(folder, 'nowhere'), join(folder, 'nowhere'), 'CHECKPOINT_MISSING')
  })

  test('names the state file that is missing', async () => {
    const { path, files } = await copied('short')
    rmSync(join(path, files[0] ?? ''))
    await refused(path, files[0] ?? 'none', 'CHECKPOINT_MISSING')
  })

  test('names the state file of which one bit is another', async () => {
    const { path, files } = await copied('flipped')
    const file = join(path, files[0] ?? '')
    const bytes = readFileSync(file)
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    writeFileSync(file, bytes)
    await refused(path, file, 'CHECKPOINT_DAMAGED')
  })

  test('names the state file that belongs elsewhere', async () => {
    const { path, files } = await copied('swapped')
    cpSync(join(path, files[1] ?? ''), join(path, files[0] ?? ''))
    await refused(path, files[0] ?? 'none', 'CHECKPOINT_FOREIGN')
  })

  test('names metadata that is cut, and metadata of another program', async () => {
    const { path } = await copied('cut')
    const file = join(path, '_metadata')
    writeFileSync(file, readFileSync(file).subarray(0, 200))
    await refused(path, file, 'CHECKPOINT_DAMAGED')
    writeFileSync(file, Buffer.from('4960672d00000003'.padEnd(400, '00'), 'hex'))
    await refused(path, file, 'CHECKPOINT_DAMAGED')
  })
})

describe('A program that is planned', () => {
  const program = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, TINY_JOBS + text)
    return path
  }

  test('runs nothing, and nothing behind its execute', async () => {
    const path = program('behind.mjs', "await job('one')\nconsole.log('behind')\n")
    const ended = await millrace(['plan', path, '-n', '--from', await stored()])
    expect(ended.code).toBe(0)
    expect(ended.stdout).not.toMatch(/a record|behind$/m)
  })

  test('with several jobs is planned for the first, which is said, or for the one that is named', async () => {
    const path = program(
      'several.mjs',
      "const first = job('one')\nconst second = job('two')\nawait first\nawait second\n",
    )
    const first = await millrace(['plan', path, '-n', '--from', await stored()])
    expect(first.stdout).toContain('Program job "one"; it also has "two": choose with --job-name')
    const second = await millrace(['plan', path, '-n', '--job-name', 'two', '--from', await stored()])
    expect(second.stdout).toContain('Program job "two"; it also has "one"')
    expect(second.stdout).toContain('two-map')
  })

  test('whose jobs come one after the other is evaluated up to the one that is named', async () => {
    const path = program('behind-one.mjs', "await job('one')\nawait job('two')\n")
    const named = await millrace(['plan', path, '-n', '--job-name', 'two', '--from', await stored()])
    expect(named).toMatchObject({ code: 0, stdout: expect.stringContaining('two-map') })
  })

  test('without a job, or none of that name, is an error of its own', async () => {
    const from = await stored()
    expect(await millrace(['plan', program('none.mjs', ''), '--from', from])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('JOB_NOT_STARTED'),
    })
    const path = program('other.mjs', "await job('one')\n")
    expect(await millrace(['plan', path, '--job-name', 'two', '--from', from])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('for "one", and not for "two"'),
    })
  })
})
