/** A checkpoint that hangs expires, wherever it hangs: everything is released, what comes late is thrown away, the next completes. */
import { expect, it } from 'vitest'
import { RestartStrategies, type StreamExecutionEnvironment } from '../../src/index.ts'
import {
  type CheckpointMode,
  type Counts,
  counts,
  countsOf,
  type Door,
  type Gate,
  gate,
  inEachMode,
  inSomeMode,
  strays,
} from './checkpoint-parts.ts'
import { describeJobs, type World } from './harness.ts'

const COUNT = 26
const TIMEOUT_MS = 60
/** The checkpoint that hangs. */
const HUNG = 2
/** How long after its expiry it goes on. */
const LATE_MS = 45

interface Phase {
  /** What hangs: a function, or an operation on a file of this checkpoint. */
  readonly door?: Door
  readonly file?: { readonly type: string; readonly name: string }
  /** Subtasks still to be heard of. */
  readonly waitingFor: RegExp
  /** Whether others wait for its barrier meanwhile. */
  readonly aligns?: true
  /** Whether the next can complete while it hangs: nobody stands still, and the disk works. */
  readonly nextCompletes: boolean
}

const PHASES: Readonly<Record<string, Phase>> = {
  'the snapshot of an enumerator': { door: 'enumerator', waitingFor: /coordinators of operators/, nextCompletes: true },
  'the file of an enumerator': {
    file: { type: 'write', name: '-coordinator-' },
    waitingFor: /coordinators of operators/,
    nextCompletes: false,
  },
  // `middle` takes no barrier, and `far` waits for the one behind it.
  'a record, and with it the alignment behind it': {
    door: 'write',
    waitingFor: /middle.*far/,
    aligns: true,
    nextCompletes: false,
  },
  'what a sink prepares': { door: 'prepareCommit', waitingFor: /middle.*far/, aligns: true, nextCompletes: false },
  'a state file': { file: { type: 'sync', name: '-keyed-' }, waitingFor: /Keyed Process/, nextCompletes: false },
  'what a sink makes durable': { door: 'makeDurable', waitingFor: /middle/, nextCompletes: true },
}

interface Hanging {
  readonly env: StreamExecutionEnvironment
  readonly job: Counts
  readonly hung: Gate
  /** A task fails at once. */
  fail(): void
}

function hanging(world: World, mode: CheckpointMode, { door, file }: Pick<Phase, 'door' | 'file'>): Hanging {
  const env = world.env()
  const [hung, down] = [gate(), gate()]
  // A record has to be on its way before the barrier is.
  const last = door === 'write' ? HUNG - 1 : HUNG
  let times = 0
  const job = counts(env, world, {
    mode,
    count: COUNT,
    down: down.opened,
    at: (at, checkpointId) => (at === door && checkpointId === last && times++ === 0 ? hung.opened : undefined),
  })
  world.files.interfere = ({ type, path }) =>
    file?.type === type && path.includes(file.name) && path.includes(`/chk-${HUNG}/`) && times++ === 0
      ? { type: 'hold', until: hung.opened }
      : undefined
  env.getCheckpointConfig().setCheckpointTimeout(TIMEOUT_MS).setTolerableCheckpointFailureNumber(10)
  return { env, job, hung, fail: down.open }
}

describeJobs('A checkpoint', (newWorld, link) => {
  const names = (aligns: boolean) => Object.keys(PHASES).filter((name) => (PHASES[name]?.aligns ?? false) === aligns)
  it.each([...inEachMode(names(true), link), ...inSomeMode(names(false), link)])(
    'expires where %s hangs (%s)',
    async (name, mode) => {
      const world = newWorld()
      const phase = PHASES[name] as Phase
      const { env, job, hung } = hanging(world, mode, phase)
      const client = await world.until(env.executeAsync('x'))
      const aborted = () => world.ofType('checkpoint.aborted').find((event) => event.checkpointId === HUNG)
      await world.when(() => aborted() !== undefined)
      const triggered = world.ofType('checkpoint.triggered').find((event) => event.checkpointId === HUNG)
      expect(aborted()).toMatchObject({
        reason: 'CHECKPOINT_EXPIRED',
        message: expect.stringMatching(phase.waitingFor),
      })
      expect(world.clock.now() - (triggered?.atMs ?? 0)).toBe(TIMEOUT_MS)
      await world.advance(LATE_MS)
      const later = () => world.ofType('checkpoint.completed').filter((event) => event.checkpointId > HUNG)
      expect(later().length > 0).toBe(phase.nextCompletes)
      hung.open()
      await world.settle()
      await world.when(() => later().length > 0)
      expect(strays(world)).toEqual([])
      await world.until(client.getJobExecutionResult())
      expect(world.ofType('restart.scheduled')).toEqual([])
      expect(world.ofType('checkpoint.completed').map((event) => event.checkpointId)).not.toContain(HUNG)
      expect(job.near.committed.toSorted()).toEqual(countsOf(COUNT))
      expect(job.far.committed.toSorted()).toEqual(countsOf(COUNT))
      expect(strays(world)).toEqual([])
      await world.advance(100)
      expect(world.timersLeft()).toBe(0)
    },
  )

  /** What is claimed of the coordinator alone. */
  const mode = link === 'direct' ? 'unaligned' : 'aligned'

  it('that is being made durable is not given up: it may be visible already, and completes however late', async () => {
    const world = newWorld()
    const { env, job, hung } = hanging(world, mode, {})
    world.files.interfere = ({ type, to }) =>
      type === 'rename' && to?.endsWith(`/chk-${HUNG}`) ? { type: 'hold', until: hung.opened } : undefined
    if (mode === 'aligned') env.getCheckpointConfig().setMaxConcurrentCheckpoints(2)
    const client = await world.until(env.executeAsync('x'))
    await world.when(() => world.ofType('checkpoint.triggered').some((event) => event.checkpointId === HUNG))
    await world.advance(2 * TIMEOUT_MS)
    const ended = () => world.ofType('checkpoint.aborted').map((event) => event.checkpointId)
    expect(ended()).not.toContain(HUNG)
    // Its state is on the disk behind the one that hangs.
    if (mode === 'aligned') expect(ended()).toContain(HUNG + 1)
    hung.open()
    await world.settle()
    const late = world.ofType('checkpoint.completed').find((event) => event.checkpointId === HUNG)
    expect(late?.durationMs).toBe(2 * TIMEOUT_MS)
    expect(strays(world)).toEqual([])
    await world.until(client.getJobExecutionResult())
    expect(job.far.committed.toSorted()).toEqual(countsOf(COUNT))
    expect(strays(world)).toEqual([])
  })

  it('of which a task fails while it is being made durable is waited for, and restored', async () => {
    const world = newWorld()
    const { env, hung, job, fail } = hanging(world, mode, {})
    env.setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 10))
    world.files.interfere = ({ type, to }) =>
      type === 'rename' && to?.endsWith(`/chk-${HUNG}`) ? { type: 'hold', until: hung.opened } : undefined
    const client = await world.until(env.executeAsync('x'))
    await world.when(() => world.ofType('checkpoint.triggered').some((event) => event.checkpointId === HUNG))
    await world.advance(1)
    fail()
    await world.advance(2 * TIMEOUT_MS)
    expect(world.statuses().at(-1)).toBe('RESTARTING')
    hung.open()
    await world.when(() => world.statuses().at(-1) === 'RUNNING')
    expect(world.ofType('checkpoint.completed').map((event) => event.checkpointId)).toEqual([1, HUNG])
    await world.until(client.getJobExecutionResult())
    // Of the first attempt, as the checkpoint holds it.
    expect(job.far.commits).toContainEqual({ checkpointId: HUNG, id: '0/0/1' })
    expect(job.near.committed.toSorted()).toEqual(countsOf(COUNT))
    expect(job.far.committed.toSorted()).toEqual(countsOf(COUNT))
    expect(strays(world)).toEqual([])
  })

  it('that expires before its enumerators are asked holds back no split', async () => {
    const world = newWorld()
    const { env, job, hung } = hanging(world, mode, {})
    const client = await world.until(env.executeAsync('x'))
    await world.advance(1)
    world.files.interfere = ({ path }) =>
      path.startsWith('/savepoints') ? { type: 'hold', until: hung.opened } : undefined
    const failure = world.failure(client.triggerSavepoint('/savepoints'))
    await world.advance(2 * TIMEOUT_MS)
    expect(await failure).toMatchObject({ details: { reason: 'CHECKPOINT_EXPIRED' } })
    hung.open()
    await world.until(client.getJobExecutionResult())
    expect(job.far.committed.toSorted()).toEqual(countsOf(COUNT))
    expect(strays(world)).toEqual([])
  })
})
