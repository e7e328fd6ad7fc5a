/** Runs the processes of a plan on one simulated disk, event by event: everything in them follows from the seed. */
import type { Clock } from '../../../src/base/clock.ts'
import { seededRandom } from '../../../src/base/random.ts'
import { SimulatedDisk } from '../../../src/base/simulated-disk.ts'
import { StreamExecutionEnvironment } from '../../../src/index.ts'
import { startJob } from '../../../src/runtime/execute.ts'
import { clonedLink, type Link } from '../../../src/runtime/link.ts'
import { type Outcome, SimulatedWorld } from '../simulated-world.ts'
import type { Host } from './history.ts'
import { OperatedProcess, type Process, type ProcessReport } from './process.ts'
import { SimulatedDoor } from './simulated-door.ts'

export class SimulatedHost implements Host {
  #disk = newDisk()
  /** Takes what happened in each process, in order. */
  readonly #log: string[] | undefined

  constructor(log?: string[]) {
    this.#log = log
  }

  async run(process: Process): Promise<ProcessReport> {
    const { life, lived } = process
    const world = new SimulatedWorld({ seed: life.seed, disk: this.#disk, startMs: 1_700_000_000_000 + lived * 60_000 })
    const note = (what: string) => {
      if (this.#log !== undefined) world.note(what)
    }
    const door = new SimulatedDoor(process.sabotage, note)
    const disk = this.#disk
    const operated = new OperatedProcess(process, {
      env: environment(world, life.isCloned ? clonedLink(world.ports.turns) : undefined, note),
      clock: world.clock,
      door: {
        get job() {
          return door.job
        },
        taskManagerId: door.taskManagerId,
        ask: (...asked) => underWay(world, door.ask(...asked)),
      },
      rest: door,
      isSavepoint: (folder) => disk.find(`${folder}/_metadata`) !== undefined,
    })
    world.start(() => operated.work())
    const outcome = (await world.drive(() => operated.complaints.length > 0 || operated.isDue())) as
      | Outcome<void>
      | undefined
    this.#disk =
      outcome !== undefined || life.loss === 'nothing'
        ? world.files.kill().disk
        : world.files.crash({ random: seededRandom(life.seed), model: life.loss }).disk
    this.#log?.push(`process ${lived}`, ...world.trace)
    return operated.report(outcome)
  }
}

function newDisk(): SimulatedDisk {
  const disk = new SimulatedDisk()
  disk.makeFolder('/data')
  disk.syncFolder('/')
  return disk
}

function environment(
  world: SimulatedWorld,
  link: Link | undefined,
  note: (what: string) => void,
): StreamExecutionEnvironment {
  return new StreamExecutionEnvironment({
    ports: () => ({ ...world.ports, clock: wholeMs(world) }),
    layers: [],
    run: undefined,
    start: async (graph, given) => {
      const turnLimits = { turnMs: 8, turnMsWithControlWork: 2, backgroundMs: 2, stepsPerTurn: 1 }
      const started = await startJob(graph, { ...given, turnLimits, link })
      if (started.type === 'started') started.handle.subscribe((event) => note(`event ${JSON.stringify(event)}`))
      return started
    },
  })
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

/** An answer takes turns of the real event loop, in which the clock of the world must not come to its end. */
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
