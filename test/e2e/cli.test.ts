/** `millrace run` as a user meets it when something is wrong: exit code and what it says. Real processes of the built package. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { chainJob, type Ended, millrace, startMillrace, verdictOn, workFolder } from './processes.ts'

const work = workFolder()
let folders = 0

/** A folder of its own with these files. */
function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = join(work, `case-${++folders}`)
  mkdirSync(folder)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

/** Runs `job.mjs` of the folder, from inside it. */
function run(folder: string, ...options: string[]): Promise<Ended> {
  return millrace(['run', '--no-rest', ...options, 'job.mjs'], { cwd: folder })
}

const ALL = 'DiscardingSink, FileSink, FileSource, StreamExecutionEnvironment, WatermarkStrategy'
const program = (body: string) =>
  `import { ${ALL} } from 'millrace'\nconst env = StreamExecutionEnvironment.getExecutionEnvironment()\n${body}\n`
const SMALL = "env.fromSequence(1, 100).sinkTo(new DiscardingSink())\nawait env.execute('small')"
const reading = (source: string) =>
  program(`env.fromSource(${source}, WatermarkStrategy.noWatermarks(), 'input').sinkTo(FileSink.forJsonLines('out'))
await env.execute('reading')`)

describe('A job file', () => {
  it('that throws ends with 1 and the place of the throw', async () => {
    const folder = folderWith({ 'job.mjs': "\nthrow new Error('no input today')\n" })
    const { code, stderr } = await run(folder)
    expect(code).toBe(1)
    expect(stderr).toContain('JOB_FILE_FAILED')
    expect(stderr).toContain('no input today')
    expect(stderr).toContain(`${join(folder, 'job.mjs')}:2:`)
  })

  it('whose function throws ends with 1, the cause and its place', async () => {
    const body =
      "env.fromSequence(1, 9).map((n) => {\n  if (n === 7) throw new Error('seven')\n  return n\n}).sinkTo(new DiscardingSink())\nawait env.execute('sevens')"
    const { code, stderr } = await run(folderWith({ 'job.mjs': program(body) }))
    expect(code).toBe(1)
    expect(stderr).toContain('JOB_FAILED')
    expect(stderr).toContain('seven')
    expect(stderr).toMatch(/job\.mjs:4:/)
  })

  it('that changes a record runs, but ends with 1 under --check: the operator, the place and what to do', async () => {
    const body =
      "env.fromData([{ n: 1 }, { n: 2 }]).map((row) => {\n  row.n += 1\n  return row\n}).name('raise').sinkTo(FileSink.forJsonLines('out'))\nawait env.execute('rows')"
    const folder = folderWith({ 'job.mjs': program(body) })
    const { code, stderr } = await run(folder, '--check')
    expect(code).toBe(1)
    expect(stderr).toMatch(/JOB_FAILED.*"rows" failed in operator "raise": /)
    expect(stderr).toContain('execution.debug-freeze (--check) is on: a record must not be changed')
    expect(stderr).toMatch(/job\.mjs:4:/)
    expect((await run(folder)).code).toBe(0)
  })

  it('without execute ends with 1 and says how a job is started', async () => {
    const { code, stderr } = await run(
      folderWith({ 'job.mjs': program('env.fromSequence(1, 9).sinkTo(new DiscardingSink())') }),
    )
    expect(code).toBe(1)
    expect(stderr).toContain('JOB_NOT_STARTED')
    expect(stderr).toContain('execute')
  })

  it('with two operators of one uid ends with 1 and names it', async () => {
    const body =
      "env.fromSequence(1, 9).map((n) => n).uid('twin').filter(() => true).uid('twin').sinkTo(new DiscardingSink())\nawait env.execute('twins')"
    const { code, stderr } = await run(folderWith({ 'job.mjs': program(body) }))
    expect(code).toBe(1)
    expect(stderr).toContain('DUPLICATE_UID')
    expect(stderr).toContain('twin')
  })

  it('with a key that cannot be one ends with 1, the part that is wrong and what to use instead', async () => {
    const body =
      "env.fromSequence(1, 9).keyBy((n) => ['day', new Date(n)]).reduce((a) => a).sinkTo(new DiscardingSink())\nawait env.execute('keys')"
    const { code, stderr } = await run(folderWith({ 'job.mjs': program(body) }))
    expect(code).toBe(1)
    expect(stderr).toContain('INVALID_KEY')
    expect(stderr).toContain('[1]')
    expect(stderr).toContain('getTime()')
  })

  it('that is not there ends with 2', async () => {
    const { code, stderr } = await run(folderWith({}))
    expect(code).toBe(2)
    expect(stderr).toContain('job.mjs')
  })
})

describe('Configuration', () => {
  it('with a bad duration on the command line ends with 2, the key, the value and what is legal', async () => {
    const { code, stderr } = await run(
      folderWith({ 'job.mjs': program(SMALL) }),
      '-D',
      'execution.checkpointing.interval=10 parsecs',
    )
    expect(code).toBe(2)
    expect(stderr).toContain('CONFIG_INVALID')
    expect(stderr).toContain('execution.checkpointing.interval')
    expect(stderr).toContain('10 parsecs')
    expect(stderr).toMatch(/\bmin\b/)
  })

  it('with an unknown key in the file warns with the nearest key and runs', async () => {
    const config = 'execution:\n  checkpointing:\n    intervall: 1s\n'
    const { code, stderr } = await run(folderWith({ 'job.mjs': program(SMALL), 'millrace.yaml': config }))
    expect(code).toBe(0)
    expect(stderr).toMatch(
      /warning .*execution\.checkpointing\.intervall.*Did you mean execution\.checkpointing\.interval\?/,
    )
    expect(stderr).toContain('millrace.yaml:3')
  })

  it('with a bad value in the file ends with 2, file and line', async () => {
    const config = 'pipeline.name: small\nparallelism.default: many\n'
    const { code, stderr } = await run(folderWith({ 'job.mjs': program(SMALL), 'millrace.yaml': config }))
    expect(code).toBe(2)
    expect(stderr).toContain('millrace.yaml:2')
    expect(stderr).toContain('parallelism.default')
    expect(stderr).toContain('many')
  })

  it('with a checkpoint directory that cannot be written ends with 1 before the first record', async () => {
    const folder = folderWith({
      'job.mjs': program(SMALL.replace('env.', 'env.enableCheckpointing(50)\nenv.')),
      plain: 'a file',
    })
    const { code, stderr } = await run(folder, '-D', `execution.checkpointing.dir=${folder}/plain/checkpoints`)
    expect(code).toBe(1)
    expect(stderr).toContain(`${folder}/plain/checkpoints`)
    expect(stderr).not.toContain('RUNNING')
  })

  it('asks for --resume without a checkpoint directory: ends with 2', async () => {
    const folder = folderWith({ 'job.mjs': program(SMALL.replace('env.', 'env.enableCheckpointing(50)\nenv.')) })
    const { code, stderr } = await run(folder, '--resume')
    expect(code).toBe(2)
    expect(stderr).toContain('RESUME_NEEDS_DIRECTORY')
  })
})

describe('Input', () => {
  it('that is missing ends with 1 and its path', async () => {
    const folder = folderWith({ 'job.mjs': reading("FileSource.forLines('missing/*.txt')") })
    const { code, stderr } = await run(folder)
    expect(code).toBe(1)
    expect(stderr).toContain('INPUT_MISSING')
    expect(stderr).toContain(join(folder, 'missing'))
  })

  const json = '{"n":1}\n{"n":2}\n{"n":\n{"n":4}\n'
  const csv = 'origin,delay\nSFO,1\nJFK,"2\n'

  it('with a truncated JSON line ends with 1, file and line', async () => {
    const folder = folderWith({ 'job.mjs': reading("FileSource.forJsonLines('in.jsonl')"), 'in.jsonl': json })
    const { code, stderr } = await run(folder)
    expect(code).toBe(1)
    expect(stderr).toContain('RECORD_INVALID')
    expect(stderr).toContain(`${join(folder, 'in.jsonl')}, line 3`)
  })

  it('with a truncated CSV record ends with 1, file and line', async () => {
    const folder = folderWith({ 'job.mjs': reading("FileSource.forCsv('in.csv')"), 'in.csv': csv })
    const { code, stderr } = await run(folder)
    expect(code).toBe(1)
    expect(stderr).toContain('RECORD_INVALID')
    expect(stderr).toContain(`${join(folder, 'in.csv')}, line 3`)
  })

  it('with broken JSON lines that may be skipped runs to its end, names the first and counts them all', async () => {
    const text = `${json}{"n":5}\n{"n"`
    const source = "FileSource.forJsonLines('in.jsonl', { onInvalid: 'skip' })"
    const folder = folderWith({ 'job.mjs': reading(source), 'in.jsonl': text })
    const { code, stderr } = await run(folder)
    expect(code, stderr).toBe(0)
    expect(stderr).toContain(`${join(folder, 'in.jsonl')}, line 3: skipped an invalid record`)
    expect(stderr).toContain('2 invalid records were skipped in all')
    expect(rowsIn(folder)).toEqual(['{"n":1}', '{"n":2}', '{"n":4}', '{"n":5}'])
  })

  it('with a truncated CSV record that may be skipped runs to its end and names it', async () => {
    const source = "FileSource.forCsv('in.csv', { onInvalid: 'skip' })"
    const folder = folderWith({ 'job.mjs': reading(source), 'in.csv': csv })
    const { code, stderr } = await run(folder)
    expect(code, stderr).toBe(0)
    expect(stderr).toContain(`${join(folder, 'in.csv')}, line 3: skipped an invalid record`)
    expect(rowsIn(folder)).toEqual(['{"origin":"SFO","delay":"1"}'])
  })
})

describe('SIGTERM', () => {
  it('suspends the job: exit code 143, and --resume goes on exactly', async () => {
    const folder = folderWith({})
    const job = { folder, records: 5_000, rate: 8_000, flags: ['--resume'] }
    const first = startMillrace(chainJob(job))
    await first.line('checkpoint.completed', 2)
    first.process.kill('SIGTERM')
    const suspended = await first.ended
    expect(suspended.code).toBe(143)
    expect(suspended.stderr).toContain('SUSPENDED')
    const resumed = await millrace(chainJob(job))
    expect(resumed.code, resumed.stderr).toBe(0)
    const output = join(folder, 'output')
    expect(await verdictOn({ seed: 1, records: job.records, output })).toMatchObject({ exact: true, read: job.records })
  })
})

function rowsIn(folder: string): string[] {
  const names = readdirSync(join(folder, 'out')).filter((name) => !name.startsWith('.'))
  return names.flatMap((name) =>
    readFileSync(join(folder, 'out', name), 'utf8')
      .split('\n')
      .filter((line) => line !== ''),
  )
}
