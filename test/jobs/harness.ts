/**
 * Runs whole jobs on virtual time: turns run until there are none, promises settle, then the clock moves to its next
 * deadline. Deterministic; nothing real is waited for. What neither ends nor has anything left to do fails with a dump.
 */
import { afterEach, beforeEach, describe, expect } from 'vitest'
import { StreamExecutionEnvironment } from '../../src/api/stream-execution-environment.ts'
import type { ConfigurationLayer } from '../../src/base/config/configuration-layer.ts'
import { seededIds } from '../../src/base/ids.ts'
import { silentLogger } from '../../src/base/logger.ts'
import type { Ports } from '../../src/base/ports.ts'
import { seededRandom } from '../../src/base/random.ts'
import { SimulatedFileSystem } from '../../src/base/simulated-file-system.ts'
import { SimulatedLocks } from '../../src/base/simulated-locks.ts'
import type { Turns } from '../../src/base/turns.ts'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import type { JobEvent, StreamError } from '../../src/index.ts'
import type { ChartStep, ChartTap } from '../../src/runtime/control/host-chart.ts'
import { startJob } from '../../src/runtime/execute.ts'
import type { JobHandle } from '../../src/runtime/job-handle.ts'
import { clonedLink, directLink } from '../../src/runtime/link.ts'
import { Driver, told } from '../../src/testing/driver.ts'

export type LinkKind = 'direct' | 'cloned'

/** A suite that runs with both links. No promise of the library may go unhandled meanwhile. */
export function describeJobs(
  name: string,
  suite: (newWorld: (options?: WorldOptions) => World, link: LinkKind) => void,
): void {
  describe.each(['direct', 'cloned'] as const)(`${name} (%s link)`, (link) => {
    const unhandled: unknown[] = []
    const note = (reason: unknown) => void unhandled.push(reason)
    beforeEach(() => {
      unhandled.length = 0
      process.on('unhandledRejection', note)
    })
    afterEach(async () => {
      await promises()
      process.off('unhandledRejection', note)
      expect(unhandled).toEqual([])
    })
    suite((options = {}) => new World({ link, ...options }), link)
  })
}

export interface WorldOptions {
  readonly link?: LinkKind | undefined
  readonly seed?: number | undefined
  /** What a round of turns takes on the clock. With 0 a job that always has work stands still in time. */
  readonly roundMs?: number | undefined
  /** How many steps over all subtasks make a turn. */
  readonly stepsPerTurn?: number | undefined
  readonly tap?: ChartTap | undefined
  readonly layers?: readonly ConfigurationLayer[] | undefined
}

export class World implements Turns {
  readonly clock = new VirtualClock({ startMs: 1_000_000 })
  readonly ports: Ports
  /** Of all jobs, in order. */
  readonly events: JobEvent[] = []
  readonly steps: ChartStep[] = []
  readonly handles: JobHandle[] = []
  readonly files: SimulatedFileSystem
  readonly #options: WorldOptions
  readonly #charts = new Map<string, unknown>()
  readonly #driver: Driver

  constructor(options: WorldOptions = {}) {
    const seed = options.seed ?? 1
    this.#options = options
    this.#driver = new Driver({ clock: this.clock, roundMs: options.roundMs, describe: () => this.dump() })
    this.files = new SimulatedFileSystem({ turns: this, clock: this.clock })
    this.ports = {
      clock: this.clock,
      turns: this,
      random: seededRandom(seed),
      ids: seededIds(seededRandom(seed + 1)),
      files: this.files,
      locks: new SimulatedLocks(),
      logger: silentLogger,
    }
  }

  next(turn: () => void): void {
    this.#driver.next(turn)
  }

  env(): StreamExecutionEnvironment {
    return new StreamExecutionEnvironment({
      ports: () => this.ports,
      layers: this.#options.layers ?? [],
      run: undefined,
      start: async (graph, options) => {
        const started = await startJob(graph, {
          ...options,
          link: this.#options.link === 'cloned' ? clonedLink(this) : directLink(),
          turnLimits: {
            turnMs: 8,
            turnMsWithControlWork: 2,
            backgroundMs: 2,
            stepsPerTurn: this.#options.stepsPerTurn ?? 4,
          },
          tap: {
            started: (chart) => {
              this.#charts.set(chart.id, chart.value)
              this.#options.tap?.started?.(chart)
            },
            stepped: (step) => {
              this.steps.push(step)
              this.#charts.set(step.id, step.value)
              this.#options.tap?.stepped(step)
            },
          },
        })
        if (started.type === 'started') {
          this.handles.push(started.handle)
          started.handle.subscribe((event) => void this.events.push(event))
        }
        return started
      },
    })
  }

  /** Drives until it settles, and settles as it. */
  until<R>(promise: PromiseLike<R>): Promise<R> {
    return this.#driver.until(promise)
  }

  /** The error with which it rejects. */
  async failure(promise: PromiseLike<unknown>): Promise<StreamError> {
    const thrown = await this.until(
      promise.then(
        () => undefined,
        (error: unknown) => error,
      ),
    )
    if (thrown === undefined) throw new Error('It did not fail.')
    return thrown as StreamError
  }

  /** Drives until the condition holds. */
  when(condition: () => boolean): Promise<void> {
    return this.#driver.when(condition)
  }

  /** Drives for so long on the clock. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.clock.now() + ms
    await this.#driver.advance(ms)
    expect(this.clock.now()).toBe(untilMs)
  }

  /** Drives for so many rounds, or until it holds. */
  rounds(count: number, done: () => boolean): Promise<void> {
    return this.#driver.rounds(count, done)
  }

  /** Runs what is due now, without moving the clock. */
  settle(): Promise<void> {
    return this.#driver.settle()
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.clock.setTimer(ms, resolve))
  }

  statuses(): readonly string[] {
    return this.events.flatMap((event) => (event.type === 'job.status' ? [event.status] : []))
  }

  ofType<T extends JobEvent['type']>(type: T): readonly Extract<JobEvent, { readonly type: T }>[] {
    const isOf = (event: JobEvent): event is Extract<JobEvent, { readonly type: T }> => event.type === type
    return this.events.filter(isOf)
  }

  /** A virtual clock that has nothing to fire any more: a job that is over leaves none behind. */
  timersLeft(): number {
    return this.clock.nextDeadlineMs() === undefined ? 0 : 1
  }

  dump(): string {
    const charts = [...this.#charts].map(([id, value]) => `  ${id}: ${JSON.stringify(value)}`)
    const events = this.events.slice(-20).map((event) => `  ${JSON.stringify(event)}`)
    return [`at ${this.clock.now()} ms`, 'charts:', ...charts, 'last events:', ...events].join('\n')
  }
}

/** Everything that is settled has been told. */
export const promises = told
