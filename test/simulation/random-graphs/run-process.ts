/** One process of a plan on the disk that the one before has left: declares the job, runs it, and ends as the plan says. */
import type { SimulatedDisk } from '../../../src/base/simulated-disk.ts'
import { type JobEvent, StreamExecutionEnvironment } from '../../../src/index.ts'
import { startJob } from '../../../src/runtime/execute.ts'
import { clonedLink, directLink } from '../../../src/runtime/link.ts'
import { type Outcome, SimulatedWorld } from '../simulated-world.ts'
import { buildJob, configure } from './build-job.ts'
import { differences } from './compare.ts'
import type { GrowingFiles } from './growing-files.ts'
import type { InFlightTally } from './in-flight-tally.ts'
import type { OutsideSink, ReadByProgram } from './outside.ts'
import type { Backend, LifePlan, Plan, SavepointPlan } from './plan.ts'
import { losingLink } from './sabotage.ts'
import { Savepoints } from './savepoints.ts'
import type { Trouble } from './trouble.ts'

const JOB_NAME = 'random graph'

export interface Process {
  readonly plan: Plan
  readonly life: LifePlan
  readonly lived: number
  readonly backend: Backend
  readonly disk: SimulatedDisk
  readonly resume: 'latest' | undefined
  readonly outside: readonly OutsideSink[]
  readonly read: ReadByProgram
  readonly growing: GrowingFiles
  readonly trouble: Trouble
  readonly inFlight: InFlightTally
}

export interface Report {
  readonly outcome: Outcome<'finished' | 'had ended'>
  readonly events: readonly JobEvent[]
  readonly world: SimulatedWorld
  /** It was stopped with a savepoint, of this format: the next process goes on from that. */
  readonly stopped: SavepointPlan['format'] | undefined
}

/** When a process starts, ms since the epoch. */
export const startOf = (lived: number) => 1_700_000_000_000 + lived * 60_000

export async function runProcess({
  plan,
  life,
  lived,
  backend,
  disk,
  resume,
  outside,
  read,
  growing,
  trouble,
  inFlight,
}: Process): Promise<Report> {
  const events: JobEvent[] = []
  const world = new SimulatedWorld({
    // Two processes never draw the same names, however small a plan is made.
    seed: life.seed * 16 + lived,
    disk,
    startMs: startOf(lived),
    interfere: (operation) => trouble.interfere(operation),
  })
  let end: 'finished' | 'had ended' = 'finished'
  let suspend: (() => void) | undefined
  const savepoints = new Savepoints(life, trouble.tally, `/data/savepoints/${lived}`)
  const env = new StreamExecutionEnvironment({
    ports: () => world.ports,
    layers: [],
    run: undefined,
    start: async (graph, given) => {
      const { stepsPerTurn } = plan.settings
      const started = await startJob(graph, {
        ...given,
        link: losingLink(life.link === 'cloned' ? clonedLink(world.ports.turns) : directLink(), trouble.sabotage),
        turnLimits: { turnMs: 8, turnMsWithControlWork: 2, backgroundMs: 2, stepsPerTurn },
      })
      if (started.type === 'alreadyEnded') end = 'had ended'
      else {
        started.handle.subscribe((event) => {
          events.push(event)
          if (event.type === 'checkpoint.completed') trouble.checkpointCompleted(event.atMs)
          // A job whose checkpoints fail for ever would go on for ever.
          if (event.type === 'checkpoint.aborted' && event.message.includes('key group'))
            trouble.complain(event.message)
        })
        inFlight.watch(started.handle, lived)
        suspend = () => void started.handle.suspend()
        savepoints.job = started.handle
      }
      return started
    },
  })
  world.start(async () => {
    configure(env, plan, backend)
    const streams = buildJob(env, plan, { lived, trouble, clock: world.clock, outside })
    const readStream = plan.read === undefined ? undefined : streams[plan.read]
    // An edge that chains in one process only is not the same in another one.
    const toRead = plan.settings.mode === 'aligned' ? readStream : readStream?.rebalance()
    if (toRead === undefined) await env.execute(JOB_NAME, { resume })
    else await read.run(toRead, JOB_NAME, { resume })
    return end
  })
  const isThere = () => differences(plan, outside, read, disk).length === 0
  const isTime = () => {
    const { end: how } = life
    // Nobody else ends a job that follows files: once everything is there, and no more comes.
    if (how.type === 'nothing') return growing.isFollowed && growing.isOver(world.clock.now(), isThere)
    // Who cannot be stopped with a savepoint is suspended where nobody else would end the job.
    if (how.type === 'stop') return growing.isFollowed && savepoints.hasGivenUp
    return how.type === 'suspend' && trouble.isDue(how.at, world.clock.now())
  }
  const outcome = await world.drive(() => {
    growing.grow(disk, world.clock.now())
    savepoints.look(world.clock.now(), (at) => trouble.isDue(at, world.clock.now()))
    if (suspend !== undefined && isTime()) {
      suspend()
      suspend = undefined
    }
    if (trouble.complaints.length > 0) return true
    return life.end.type === 'kill' && trouble.isDue(life.end.at, world.clock.now())
  })
  return { outcome: (outcome ?? { type: 'died' }) as Report['outcome'], events, world, stopped: savepoints.stopped }
}
