/**
 * Whatever happens at any step of a checkpoint, between its trigger and its end: the job ends as it should, its output is
 * exact, no timer is left, and no file that nobody names.
 */
import { expect, it } from 'vitest'
import { type JobClient, RestartStrategies } from '../../src/index.ts'
import type { ChartStep } from '../../src/runtime/control/host-chart.ts'
import {
  CHECKPOINT_MODES,
  type CheckpointMode,
  type Counts,
  counts,
  countsOf,
  type Door,
  gate,
  inEachMode,
  strays,
} from './checkpoint-parts.ts'
import { describeJobs, type World, type WorldOptions } from './harness.ts'

const COUNT = 12
const WRITE_MS = 14
/** The checkpoint in whose course it happens: the first one is there to go back to. */
const DISTURBED = 2

interface Happening {
  /** What the job may end with. */
  readonly ends: readonly string[]
  /** A job that has finished goes on all the same. */
  readonly resumed?: true
  happens(at: { readonly client: JobClient; readonly world: World; fail(): void }): void
}

const quietly = (promise: Promise<unknown>) => void promise.catch(() => {})

const HAPPENINGS: Readonly<Record<string, Happening>> = {
  'a cancel': { ends: ['CANCELED', 'FINISHED'], happens: ({ client }) => quietly(client.cancel()) },
  'a suspend': { ends: ['SUSPENDED', 'FINISHED'], happens: ({ client }) => quietly(client.suspend()) },
  'a stop with savepoint': {
    ends: ['FINISHED'],
    resumed: true,
    happens: ({ client }) => quietly(client.stopWithSavepoint({ drain: false, targetDirectory: '/savepoints' })),
  },
  'a savepoint': { ends: ['FINISHED'], happens: ({ client }) => quietly(client.triggerSavepoint('/savepoints')) },
  'a failure of a task': { ends: ['FINISHED'], happens: ({ fail }) => fail() },
  'a failure of the disk': {
    ends: ['FINISHED'],
    happens({ world }) {
      let left = 1
      world.files.interfere = ({ path }) =>
        path.includes('/chk-') && left-- > 0 ? { type: 'fail', code: 'EIO' } : undefined
    },
  },
}

/** Runs the job, has it happen at this step, and resumes what can be resumed. */
async function disturbed(
  newWorld: (options: WorldOptions) => World,
  mode: CheckpointMode,
  what: Happening | undefined,
  at: number,
) {
  let plans = 0
  let steps = 0
  let client: JobClient | undefined
  const down = gate()
  const tap = {
    stepped: ({ orders }: ChartStep) => {
      if (orders.some((order) => order.type === 'makePlan')) plans++
      // From its trigger to the next: it is complete by then, and what it covers is committed.
      if (plans !== DISTURBED || steps++ !== at) return
      queueMicrotask(() => what?.happens({ client: client as JobClient, world, fail: down.open }))
    },
  }
  const world: World = newWorld({ tap })
  let job: Counts | undefined
  const run = async (resume?: 'latest') => {
    const env = world.env().setRestartStrategy(RestartStrategies.fixedDelayRestart(3, 10))
    // Slower than its source: records wait before it when a barrier comes.
    const at = (door: Door) => (door === 'write' ? world.sleep(WRITE_MS) : undefined)
    job = counts(env, world, { mode, count: COUNT, intervalMs: 30, goesOn: job, down: down.opened, at })
    const config = env.getCheckpointConfig().setExternalizedCheckpointRetention('RETAIN_ON_CANCELLATION')
    config.setTolerableCheckpointFailureNumber(10)
    client = await world.until(env.executeAsync('x', { resume }))
    await world.until(client.getJobExecutionResult().catch(() => {}))
    return client.getJobStatus()
  }
  const ended = await run()
  const taken = steps
  plans = Number.NaN
  world.files.interfere = undefined
  // The timers of what was cut off run out.
  await world.advance(50)
  const left = [...strays(world), ...(world.timersLeft() === 0 ? [] : ['a timer'])]
  if (ended !== 'FINISHED' || what?.resumed) await run('latest')
  const inFlight = world.ofType('checkpoint.completed').some(({ persistedBytes }) => persistedBytes > 0)
  return { ended, left, near: job?.near.committed.toSorted(), far: job?.far.committed.toSorted(), taken, inFlight }
}

/** Steps from one that is tried to the next: one or two of each kind in each mode. With 1 it tries all of them, for some minutes. */
const EVERY = 59

describeJobs('At any step of a checkpoint', (newWorld, link) => {
  /** By mode, steps of an undisturbed one. */
  const lengths = new Map<CheckpointMode, number>()
  const length = async (mode: CheckpointMode) => {
    const known = lengths.get(mode)
    if (known !== undefined) return known
    const { taken, inFlight } = await disturbed(newWorld, mode, undefined, Number.POSITIVE_INFINITY)
    expect(taken).toBeGreaterThan(40)
    expect(inFlight).toBe(mode !== 'aligned')
    lengths.set(mode, taken)
    return taken
  }

  it.each(inEachMode(Object.keys(HAPPENINGS), link))('%s (%s)', { timeout: 60_000 }, async (name, mode) => {
    const what = HAPPENINGS[name] as Happening
    const ends = new Set<string>()
    // Each kind begins at another step in each mode.
    const first = Object.keys(HAPPENINGS).indexOf(name) * 21 + CHECKPOINT_MODES.indexOf(mode) * 35
    for (let at = first % EVERY; at < (await length(mode)); at += EVERY) {
      const { ended, left, near, far } = await disturbed(newWorld, mode, what, at)
      expect({ at, left, near, far }).toEqual({ at, left: [], near: countsOf(COUNT), far: countsOf(COUNT) })
      expect(what.ends).toContain(ended)
      ends.add(ended)
    }
    expect(ends).toContain(what.ends[0])
  })
})
