/**
 * A few kills and the negative controls, as `npm run e2e:kill` runs them, and the claims of what tells where a kill fell.
 * Everything here runs the built package in processes of its own.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { classify, type TracedLine } from './classify.mjs'
import { root } from './processes.ts'

/** Samples: `npm run e2e:kill -- --cycles 500` makes as many as one likes. */
const KILLS = 10
const KILLS_ON_DISK = 6

/** Resolves with the exit code and what was printed; the last line is the report. */
function killScript(...args: string[]): Promise<{ readonly code: number | null; readonly printed: string }> {
  const child = spawn(process.execPath, [join(root, 'scripts/e2e-kill.mjs'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, printed })))
}

describe('A job that is killed with SIGKILL', () => {
  it(`loses, doubles and reorders nothing in ${KILLS} kills of two jobs`, async () => {
    const { code, printed } = await killScript('--cycles', String(KILLS), '--seed', '30')
    expect(code, printed).toBe(0)
    const report = JSON.parse(printed.trim().split('\n').at(-1) as string)
    expect(report.kills).toBeGreaterThanOrEqual(KILLS)
    expect(report.wrong).toBe(0)
    expect(report.killsOf.chain).toBeGreaterThan(0)
    expect(report.killsOf.followed).toBeGreaterThan(0)
    expect(report.jobs).toBeGreaterThanOrEqual(2)
    expect(report.afterCheckpoint).toBeGreaterThan(0.3)
    expect(report.places.betweenPublishAndCommit + report.places.insideRecovery).toBeGreaterThan(0)
  }, 180_000)

  it('does neither with its state on disk, and leaves nothing beside what its checkpoints name', async () => {
    const { code, printed } = await killScript(
      ...['--backend', 'leveldb', '--num-retained', '3', '--cycles', String(KILLS_ON_DISK), '--seed', '3'],
    )
    expect(code, printed).toBe(0)
    const report = JSON.parse(printed.trim().split('\n').at(-1) as string)
    expect(report.kills).toBeGreaterThanOrEqual(KILLS_ON_DISK)
    expect(report.wrong).toBe(0)
    expect(report.coverage.sharedFiles).toBeGreaterThan(0)
    expect(report.coverage.foldersSwept).toBeGreaterThan(0)
  }, 180_000)

  it('is caught by the verifier when it starts without its state, commits too early, drops timers or forgets union state, and deletes shared files too early or never', async () => {
    const { code, printed } = await killScript('--control', 'all', '--seed', '3')
    expect(code, printed).toBe(0)
    for (const name of [
      ...['no-restore', 'commit-early', 'drop-timers', 'forget-union'],
      ...['delete-early', 'never-delete'],
    ])
      expect(printed).toContain(`${name}: found by the verifier`)
  }, 180_000)
})

describe('What tells where a kill fell', () => {
  const started: readonly TracedLine[] = [{ type: 'execute' }, { type: 'started' }, { type: 'job.RUNNING' }]
  const initializing = ['a', 'b'].map((task) => ({ type: 'task.INITIALIZING', task }))
  const running = [...started, ...initializing, ...['a', 'b'].map((task) => ({ type: 'task.RUNNING', task }))]
  const triggered = (checkpointId: number): TracedLine => ({ type: 'checkpoint.triggered', checkpointId })
  const completed = (checkpointId: number): TracedLine => ({ type: 'checkpoint.completed', checkpointId })
  const prepared: TracedLine = { type: 'sink.prepared', count: 1 }
  const begun = (checkpointId: number): TracedLine => ({ type: 'commit.begun', count: 1, checkpointId })
  const committed = (checkpointId: number): TracedLine => ({ type: 'commit.ended', count: 1, checkpointId })
  const placeOf = (lines: readonly TracedLine[], more: Partial<Parameters<typeof classify>[0]> = {}) =>
    classify({ lines, resumed: false, published: [], cleanedUp: false, ...more }).place

  it('is before the first checkpoint until that is complete, also while the job starts', () => {
    expect(placeOf([{ type: 'execute' }])).toBe('beforeFirstCheckpoint')
    expect(placeOf(running)).toBe('beforeFirstCheckpoint')
    expect(placeOf([...running, triggered(1), prepared])).toBe('beforeFirstCheckpoint')
    expect(placeOf([])).toBe('other')
  })

  it('is inside a later checkpoint from its trigger to its completion or abort', () => {
    const later = { resumed: true }
    expect(placeOf([...running, triggered(5), prepared], later)).toBe('insideCheckpoint')
    expect(placeOf([...running, triggered(5), { type: 'checkpoint.aborted', checkpointId: 5 }], later)).toBe('other')
    const whole = [...running, triggered(5), prepared, completed(5), begun(5), committed(5)]
    expect(placeOf(whole, later)).toBe('other')
    expect(placeOf([...whole, triggered(6)])).toBe('insideCheckpoint')
  })

  it('is between publication and commit until the last subtask has committed', () => {
    const two = [...running, triggered(1), prepared, prepared]
    expect(placeOf([...two, completed(1)])).toBe('betweenPublishAndCommit')
    expect(placeOf([...two, begun(1)])).toBe('betweenPublishAndCommit')
    expect(placeOf([...two, completed(1), begun(1), committed(1)])).toBe('betweenPublishAndCommit')
    expect(placeOf([...two, completed(1), begun(1), committed(1), triggered(2)])).toBe('betweenPublishAndCommit')
  })

  it('takes a checkpoint on the disk for published, though nothing was told of it', () => {
    const killed = classify({
      lines: [...running, triggered(3), prepared],
      resumed: false,
      published: [3],
      cleanedUp: false,
    })
    expect(killed).toMatchObject({ place: 'betweenPublishAndCommit', afterCheckpoint: true })
  })

  it('is inside the recovery until every task runs', () => {
    expect(placeOf([...started, ...initializing], { resumed: true })).toBe('insideRecovery')
    expect(
      placeOf([...started, ...initializing, begun(4), { type: 'task.RUNNING', task: 'a' }], { resumed: true }),
    ).toBe('insideRecovery')
    expect(placeOf(running, { resumed: true })).toBe('other')
  })

  it('is inside the clean-up from the end of the job until nothing is left of its checkpoints', () => {
    const finished = [...running, { type: 'job.FINISHED' }]
    expect(placeOf(finished, { resumed: true })).toBe('insideCleanUp')
    expect(placeOf(finished, { resumed: true, cleanedUp: true })).toBe('other')
  })
})
