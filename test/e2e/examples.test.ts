/** The examples do what their pages say: the built command runs each, some are killed in the middle. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { millrace, root, start, workFolder } from './processes.ts'

const work = workFolder()
/** They take one second to ten on a machine that has nothing else to do. */
const LONGEST_MS = 120_000

/** Runs an example from a folder of its own, which the returned path names. */
async function runExample(file: string, ...options: string[]) {
  const folder = join(work, file.replaceAll('/', '-'))
  mkdirSync(folder, { recursive: true })
  const job = join(root, 'examples', file)
  const ended = await millrace(['run', '--no-rest', ...options, job], { cwd: folder })
  return { ...ended, folder, lines: ended.stdout.trimEnd().split('\n') }
}

describe.concurrent('An example', { timeout: LONGEST_MS }, () => {
  it('finds the swarms that a plain pass over a week of earthquakes finds, and those that came too late', async () => {
    const { code, lines } = await runExample('quakes/job.ts')
    expect(code).toBe(0)
    expect(lines).toContain('02-01 06:07 to 02-07 01:01   Aguanga, CA            100 quakes, strongest 3.0')
    expect(lines).toContain('100 quakes came more than two days late so far')
    const found = lines.filter((line) => / quakes, strongest /.test(line)).map((line) => line.slice(29, 55).trim())
    expect(found.sort()).toEqual(plainSwarms())
  })

  it('cancels the order that is not paid, and keeps what its customers have ordered', async () => {
    const { code, lines } = await runExample('orders/job.ts')
    expect(code).toBe(0)
    expect(lines).toContain('ann: o1 paid, o3 paid; 40 euros a paid order')
    expect(lines).toContain('bob: o4 paid, o2 cancelled; 10 euros a paid order')
    expect(lines).toContain('subtask 0: o1 o3 o4')
  })

  it('compares readings with limits that are broadcast, and reports a sensor once', async () => {
    const { code, lines } = await runExample('rules/job.ts')
    expect(code).toBe(0)
    expect(lines.sort()).toEqual(['b1: 93 degrees, above 90', 'b2: 91 degrees, above 90', 'f1: -3 degrees, above -10'])
  })

  it('stumbles twice, restarts twice, and counts each number once', async () => {
    const { code, stdout, stderr } = await runExample('restarts/job.ts')
    expect([code, stdout]).toEqual([0, 'sum> 5050\n'])
    expect(stderr.match(/restarting in \d+ ms after: attempt \d stumbles/g)?.length).toBe(2)
  })

  it('fails, and its program gets the very object that was thrown', async () => {
    const { stdout, stderr } = await runExample('restarts/failure.ts')
    expect(stdout).toBe('JOB_FAILED\ntrue\n')
    expect(stderr).toContain('more than 2 failures within 60000 ms')
  })

  it('is stopped with a savepoint, and another program goes on from there', async () => {
    const { code, lines } = await runExample('savepoints/job.ts')
    expect([code, lines]).toEqual([0, ['FINISHED', '1000 499500']])
  })

  it('is replaced by a newer program on another state backend, which reads the older form of its state', async () => {
    const { code, lines, folder } = await runExample('savepoints/upgrade.ts')
    expect([code, lines]).toEqual([0, ['600 customer 0: 900 euros; customer 1: 900 euros; customer 2: 900 euros']])
    expect(readdirSync(join(folder, 'savepoints'))).toEqual([])
  })

  it('shows a checkpoint that waits for a slow sink, and two that overtake the records before it and store them', async () => {
    const { code, lines } = await runExample('back-pressure/job.ts')
    expect(code).toBe(0)
    const rows = lines.map((line) => /^(.+?) +took +(\d+) ms, +(\d+) bytes in flight stored$/.exec(line) ?? [])
    expect(rows.map(([, way]) => way)).toEqual(['aligned', 'unaligned', 'aligned for 200 ms'])
    expect(rows.map(([, , , bytes]) => Number(bytes) > 0)).toEqual([false, true, true])
    const [aligned = 0, unaligned = 0] = rows.map(([, , ms]) => Number(ms))
    expect(unaligned).toBeLessThan(aligned)
  })

  it('takes from its configuration file what the code leaves open', async () => {
    const file = join(root, 'examples/configuration/millrace.yaml')
    const { code, lines, folder } = await runExample('configuration/job.ts', '--config', file)
    expect([code, lines]).toEqual([0, ['parallelism 2']])
    expect(existsSync(join(folder, 'checkpoints'))).toBe(true)
  })

  it('runs two jobs in one process, and one signal ends both', async () => {
    const { code, lines } = await runExample('visits/several.ts')
    expect([code, lines]).toEqual([0, ['JOB_CANCELED JOB_CANCELED']])
  })

  it('with a source and a sink by hand is killed, resumed and exact', async () => {
    const program = join(work, 'by-hand.mjs')
    const url = (file: string) => JSON.stringify(new URL(file, new URL('../../examples/', import.meta.url)).href)
    writeFileSync(
      program,
      `import { runJob } from ${url('job-process.mjs')}
for (const killAfter of [1, undefined]) {
  const { code, killed } = await runJob('by-hand/job.ts', { options: ['--resume'], killAfter, cwd: ${JSON.stringify(work)} })
  console.log(killed ? 'killed' : code)
}`,
    )
    const { stdout } = await start(program, []).ended
    expect(stdout).toBe('killed\n0\n')
    const rows = readdirSync(join(work, 'rows'))
      .filter((name) => name.endsWith('.jsonl'))
      .flatMap((name) =>
        readFileSync(join(work, 'rows', name), 'utf8')
          .trimEnd()
          .split('\n'),
      )
    expect(rows.length).toBe(6_000)
    expect(new Set(rows).size).toBe(6_000)
  })

  it('books every posting once, although the bank hangs up and the job is killed', async () => {
    expect(await drive('ledger', { perBranch: 1_300, target: join(work, 'ledger') })).toMatch(
      /killed the job with SIGKILL[\s\S]*\nexact\n/,
    )
  })

  it('keeps the open visits of a web server over SIGTERM and SIGKILL', async () => {
    expect(await drive('visits', { data: join(work, 'visits') })).toMatch(
      /\(exit code 0\)[\s\S]*150 hits, 150 pages in \d+ visits\nexact\n/,
    )
  })
})

describe('The unit file', () => {
  /** Where there is one. */
  const VERIFIER = 'systemd-analyze'
  const unit = readFileSync(join(root, 'examples/operations/flights.service'), 'utf8')
  const setting = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1]

  it('is one that systemd understands', () => {
    const wrong = unit.split('\n').filter((line) => !/^(#.*|\[(Unit|Service|Install)\]|[A-Z][A-Za-z]*=.+|)$/.test(line))
    expect(wrong).toEqual([])
    // The programs that it names need not be here.
    const copy = join(work, 'flights.service')
    writeFileSync(copy, unit.replace(/^ExecStart=.*$/m, 'ExecStart=/bin/true'))
    const { error, status, stderr } = spawnSync(VERIFIER, ['verify', '--man=no', copy], { encoding: 'utf8' })
    if (error === undefined) expect([status, stderr.includes('flights.service:')]).toEqual([0, false])
  })

  it('gives the job the time that it takes for its last checkpoint, and starts it again when it failed', () => {
    expect(Number(setting('TimeoutStopSec'))).toBeGreaterThan(10)
    expect(setting('ExecStart')).toContain(' run --resume ')
    expect([setting('Restart'), setting('RestartPreventExitStatus'), setting('SuccessExitStatus')]).toEqual([
      'on-failure',
      '2',
      '143',
    ])
  })

  it('comes with a configuration that is legal', async () => {
    const config = join(root, 'examples/operations/millrace.yaml')
    const dir = join(work, 'operations')
    const { code, stderr } = await runExample('orders/job.ts', '-c', config, '-D', `execution.checkpointing.dir=${dir}`)
    expect([code, /warning|CONFIG_INVALID/.test(stderr)]).toEqual([0, false])
  })
})

/** Runs the driver of an example in a process of its own; what it prints. */
async function drive(example: string, options: object): Promise<string> {
  const driver = new URL(`../../examples/${example}/drive.mjs`, import.meta.url).href
  const program = join(work, `${example}.mjs`)
  writeFileSync(
    program,
    `import { drive } from ${JSON.stringify(driver)}
await drive(${JSON.stringify(options)})
`,
  )
  const { stdout } = await start(program, []).ended
  return stdout
}

interface Quake {
  readonly type: string
  readonly place: string
  readonly time: number
  readonly updated: number
}

/** Town and number of quakes, as the job prints them. */
function plainSwarms(): string[] {
  const hour = 3_600_000
  const file = fileURLToPath(new URL('../../node_modules/vega-datasets/data/earthquakes.json', import.meta.url))
  const { features }: { features: { properties: Quake }[] } = JSON.parse(readFileSync(file, 'utf8'))
  const towns = new Map<string, number[]>()
  let latest = Number.NEGATIVE_INFINITY
  for (const { type, place, time } of features
    .map(({ properties }) => properties)
    .sort((a, b) => a.updated - b.updated)) {
    if (type !== 'earthquake') continue
    if (time > latest - 48 * hour - 1) {
      const town = place.replace(/^.* of /, '')
      towns.set(town, [...(towns.get(town) ?? []), time])
    }
    latest = Math.max(latest, time)
  }
  const swarms: string[] = []
  for (const [town, times] of towns) {
    let count = 0
    for (const [index, time] of times.sort((a, b) => a - b).entries()) {
      count++
      if ((times[index + 1] ?? Number.POSITIVE_INFINITY) - time <= 6 * hour) continue
      if (count >= 10) swarms.push(`${town.padEnd(22)} ${String(count).padStart(3)}`)
      count = 0
    }
  }
  return swarms.sort()
}
