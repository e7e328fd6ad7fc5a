/** One process of a plan: the job in a simulated world, and whoever operates it. */
import type { Clock } from '../../../src/base/clock.ts'
import { seededRandom } from '../../../src/base/random.ts'
import type { SimulatedDisk } from '../../../src/base/simulated-disk.ts'
import { type JobEvent, type JobStatus, RestartStrategies, StreamExecutionEnvironment } from '../../../src/index.ts'
import { startJob } from '../../../src/runtime/execute.ts'
import type { Tally } from '../random-graphs/trouble.ts'
import { type Outcome, SimulatedWorld } from '../simulated-world.ts'
import { declareJob, type Store } from './accounts.ts'
import type { Errands } from './errands.ts'
import type { Savepoints, Start } from './history.ts'
import { Operator } from './operator.ts'
import type { LifePlan, Plan } from './plan.ts'
import type { Sabotage } from './sabotage.ts'
import { SimulatedDoor } from './simulated-door.ts'

export interface Process {
  readonly plan: Plan
  readonly life: LifePlan
  readonly lived: number
  readonly disk: SimulatedDisk
  readonly store: Store
  readonly start: Start
  readonly savepoints: Savepoints
  readonly tally: Tally
  readonly sabotage: Sabotage | undefined
}

export interface ProcessReport {
  readonly life: LifePlan
  readonly outcome: Outcome<void>
  readonly world: SimulatedWorld
  /** Of the job, at the end; undefined: it did not start. */
  readonly status: JobStatus | undefined
  /** There was nothing to go on with. */
  readonly hadEnded: boolean
  readonly errands: Errands | undefined
  readonly complaints: readonly string[]
}

export async function runProcess(process: Process): Promise<ProcessReport> {
  const { life, lived, disk, start, savepoints, tally, sabotage } = process
  const complaints: string[] = []
  const events: JobEvent[] = []
  const startMs = 1_700_000_000_000 + lived * 60_000
  const world = new SimulatedWorld({ seed: life.seed, disk, startMs })
  const door = new SimulatedDoor(sabotage)
  door.note = (what) => world.note(what)
  let operator: Operator | undefined
  let hadEnded = false
  const env = new StreamExecutionEnvironment({
    ports: () => ({ ...world.ports, clock: wholeMs(world) }),
    layers: [],
    run: undefined,
    start: async (graph, given) => {
      const turnLimits = { turnMs: 8, turnMsWithControlWork: 2, backgroundMs: 2, stepsPerTurn: 1 }
      const started = await startJob(graph, { ...given, turnLimits })
      hadEnded = started.type === 'alreadyEnded'
      if (started.type === 'started')
        started.handle.subscribe((event) => {
          world.note(`event ${JSON.stringify(event)}`)
          events.push(event)
        })
      return started
    },
  })
  const completed = () => events.filter(({ type }) => type === 'checkpoint.completed') as readonly Completed[]
  world.start(async () => {
    configure(env, process)
    declare(env, process, world)
    const { name, from, claimMode } = start
    await env.executeAsync(name, { rest: door, resume: 'latest', fromSavepoint: from, claimMode })
    const { job } = door
    if (job === undefined || hadEnded) return
    operator = new Operator({
      door: { job, taskManagerId: door.taskManagerId, ask: (...asked) => underWay(world, door.ask(...asked)) },
      clock: world.clock,
      random: seededRandom(life.seed + 7),
      tally,
      ending: life.ending,
      pauseMs: life.pauseMs,
      complain: (what) =>
        void complaints.push(`process ${lived}, ${Math.round(world.clock.now() - startMs)} ms: ${what}`),
      isCompleted: (id) => completed().some(({ checkpointId }) => checkpointId === id),
      isSavepoint: (folder) => disk.find(`${folder}/_metadata`) !== undefined,
      disposable: () =>
        savepoints.but(
          start,
          completed().some(({ kind }) => kind === 'checkpoint'),
        ),
    })
    await operator.work()
  })
  const outcome = await world.drive(
    () => complaints.length > 0 || world.clock.now() - startMs >= (life.killAfterMs ?? Number.POSITIVE_INFINITY),
  )
  const errands = operator?.errands
  if (outcome !== undefined) complaints.push(...tooMany(events, errands))
  for (const { persistedBytes } of completed()) if (persistedBytes > 0) tally.add('checkpoints: with records in flight')
  tally.add('checkpoints: completed', completed().length)
  tally.add('restarts', events.filter(({ type }) => type === 'restart.scheduled').length)
  return {
    life,
    outcome: (outcome ?? { type: 'died' }) as Outcome<void>,
    world,
    status: door.job?.status(),
    hadEnded,
    errands,
    complaints,
  }
}

/** As the clock of a real process tells them. */
function wholeMs({ ports }: SimulatedWorld): Clock {
  const { clock } = ports
  return {
    now: () => Math.floor(clock.now()),
    monotonic: () => clock.monotonic(),
    setTimer: (delayMs, fired) => clock.setTimer(delayMs, fired),
  }
}

/** An answer takes turns of the real event loop, which is no reason for the clock of the world to end. */
async function underWay<T>({ clock }: SimulatedWorld, answer: Promise<T>): Promise<T> {
  let isThere = false
  const wait = () => {
    if (!isThere) clock.setTimer(0.1, wait)
  }
  wait()
  return answer.finally(() => {
    isThere = true
  })
}

type Completed = Extract<JobEvent, { readonly type: 'checkpoint.completed' }>

function configure(env: StreamExecutionEnvironment, { plan, life, start }: Process): void {
  env
    .setMaxParallelism(12)
    .setRestartStrategy(RestartStrategies.fixedDelayRestart(life.restarts, 5))
    .configure({
      'execution.checkpointing.dir': '/data/checkpoints',
      'execution.checkpointing.savepoint-dir': '/data/savepoints',
      'execution.checkpointing.externalized-checkpoint-retention': 'RETAIN_ON_CANCELLATION',
      'execution.checkpointing.tolerable-failed-checkpoints': 2 ** 31 - 1,
      'state.backend.type': start.backend,
      'state.backend.leveldb.localdir': '/data/scratch',
      ...plan.configuration,
    })
}

function declare(env: StreamExecutionEnvironment, { plan, life, store, tally }: Process, world: SimulatedWorld): void {
  const random = seededRandom(life.seed + 3)
  const perhaps = (rate: number, what: string) => {
    if (rate === 0 || random.next() >= rate) return
    tally.add(`thrown: ${what}`)
    throw new Error(`thrown in ${what}, as the plan wants it`)
  }
  declareJob(env, {
    input: plan.input,
    store,
    clock: world.clock,
    parallelism: life.parallelism,
    paceMs: plan.paceMs,
    slowMs: plan.slowMs,
    onTransfer: () => perhaps(life.throwRate, 'a transfer'),
    onCommit: () => perhaps(life.commitFailRate, 'a commit'),
  })
}

/** For one trigger id there is one savepoint at most. */
function tooMany(events: readonly JobEvent[], errands: Errands | undefined): readonly string[] {
  const taken = events.filter((event) => event.type === 'checkpoint.triggered' && event.kind !== 'checkpoint').length
  const asked = errands?.all.filter(({ kind }) => kind !== 'checkpoint' && kind !== 'disposal').length ?? 0
  return taken > asked ? [`${taken} savepoints were triggered for ${asked} operations`] : []
}
