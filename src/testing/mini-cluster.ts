/**
 * Runs whole jobs in a test: on a clock that is moved by hand, with files in memory, in a simulated process that can be
 * killed and started again on the same disk. It makes ordinary environments; the jobs are run by the ordinary runtime.
 */
import type { JobClient } from '../api/job-client.ts'
import { type EnvironmentOptions, StreamExecutionEnvironment } from '../api/stream-execution-environment.ts'
import { systemClock } from '../base/clock.ts'
import type { Configuration } from '../base/config/options.ts'
import { StreamError } from '../base/errors.ts'
import { type Logger, silentLogger } from '../base/logger.ts'
import { type DurabilityModel, SimulatedDisk } from '../base/simulated-disk.ts'
import { SimulatedLocks } from '../base/simulated-locks.ts'
import { eventLoopTurns } from '../base/turns.ts'
import { VirtualClock } from '../base/virtual-clock.ts'
import type { RestServer } from '../rest/rest-server.ts'
import type { RestServerOptions } from '../rest/rest-server-options.ts'
import { startJob } from '../runtime/execute.ts'
import type { JobEvent } from '../runtime/job-handle.ts'
import { ClusterFiles } from './cluster-files.ts'
import { ClusterProcess } from './cluster-process.ts'
import { ClusterServers } from './cluster-servers.ts'
import type { DiskFault } from './disk-faults.ts'
import { Driver } from './driver.ts'
import { misuse } from './harness.ts'
import { WatchedJob } from './watched-job.ts'

export interface MiniClusterOptions {
  /** Left out: a ManualClock that begins at 0. `'real'`: the real clock; `advance` has no meaning then. */
  readonly clock?: VirtualClock | 'real' | undefined
  /** Of everything that is drawn: ids, shuffling, what a power loss takes. 1 when left out. */
  readonly seed?: number | undefined
  /** For every environment; what its job's code says comes on top. */
  readonly configuration?: Configuration | undefined
  /** For environments that bring none. */
  readonly logger?: Logger | undefined
}

/** A virtual clock stands still during a turn: it ends after so many steps over all subtasks. */
const STEPS_PER_TURN = 4
/** A job that always has work gets so many rounds of turns between two deadlines of the clock. */
const ROUNDS_AT_ONCE = 500

export class MiniCluster implements AsyncDisposable {
  /** Of the cluster and all its jobs. With `clock: 'real'` it is not used. */
  readonly clock: VirtualClock
  readonly files: ClusterFiles
  readonly #options: MiniClusterOptions
  readonly #driver: Driver | undefined
  readonly #jobs = new Map<string, WatchedJob>()
  readonly #faults = new Set<DiskFault>()
  #disk = new SimulatedDisk()
  #locks = new SimulatedLocks()
  #process: ClusterProcess
  #servers = new ClusterServers()
  #processes = 0

  constructor(options: MiniClusterOptions = {}) {
    this.#options = options
    this.clock = options.clock instanceof VirtualClock ? options.clock : new VirtualClock()
    if (options.clock !== 'real')
      this.#driver = new Driver({
        clock: this.clock,
        roundsAtOnce: ROUNDS_AT_ONCE,
        byItself: true,
        describe: () => this.#describe(),
      })
    this.files = new ClusterFiles(() => this.#disk)
    this.#process = this.#newProcess()
  }

  /** A new environment, as `getExecutionEnvironment` gives one, in the process that lives now. */
  environment(options: EnvironmentOptions = {}): StreamExecutionEnvironment {
    const process = this.#living('environment')
    const servers = this.#servers
    const logger = options.logger ?? this.#options.logger ?? silentLogger
    return new StreamExecutionEnvironment({
      ports: () => ({ ...process.ports, logger }),
      layers: [],
      run: undefined,
      start: async (graph, given) => {
        if (!process.alive) throw killed()
        const started = await startJob(graph, { ...given, turnLimits: this.#turnLimits() })
        if (started.type === 'started') {
          const tasks = graph.vertices.reduce((sum, { parallelism }) => sum + parallelism, 0)
          this.#jobs.set(started.handle.jobId, new WatchedJob(started.handle, tasks))
          servers.add(started.handle)
        }
        return started
      },
    })
      .configure(this.#options.configuration ?? {})
      .configure(options.configuration ?? {})
  }

  /**
   * Settles as the promise does, and moves the clock from deadline to deadline until then. Rejects with SIMULATION_STUCK
   * when it can never settle, with PROCESS_KILLED when the process dies first.
   */
  async until<R>(promise: PromiseLike<R>): Promise<R> {
    const process = this.#process
    const dies = process.died.then((): never => {
      throw killed()
    })
    dies.catch(() => {
      // Whoever waits meanwhile is told.
    })
    const first = Promise.race([promise, dies])
    return this.#driver === undefined ? first : this.#driver.until(first)
  }

  /** Until the job is RUNNING with all its tasks. Rejects with what failed the job, when it ends before. */
  async untilRunning(job: JobClient): Promise<void> {
    const watched = this.#watched(job, 'untilRunning')
    await this.until(watched.when(() => watched.running))
    if (!watched.running) await endedInstead(job, 'was running')
  }

  /** Until a checkpoint is complete that is not now; its id. Rejects with what failed the job, when it ends before. */
  async untilCheckpoint(job: JobClient): Promise<number> {
    const watched = this.#watched(job, 'untilCheckpoint')
    const from = watched.events.length
    const completed = () => watched.events.slice(from).find(({ type }) => type === 'checkpoint.completed')
    await this.until(watched.when(() => completed() !== undefined))
    const event = completed()
    return event?.type === 'checkpoint.completed' ? event.checkpointId : endedInstead(job, 'had another checkpoint')
  }

  /** Until the process is dead: killed, or stopped by a fault at one of its file operations. */
  async untilKilled(): Promise<void> {
    const { died } = this.#process
    await (this.#driver === undefined ? died : this.#driver.until(died))
  }

  /** Moves the clock by `ms`. Every timer fires at its own time, and what follows from it at that time has been done. */
  async advance(ms: number): Promise<void> {
    if (this.#driver === undefined)
      throw misuse('MiniCluster', 'advance(…): the real clock moves by itself.', 'Leave `clock` out for a manual one.')
    if (!(ms >= 0)) throw misuse('MiniCluster', `advance(${ms}): the clock does not go back.`, 'See jumpClock.')
    if (!Number.isFinite(ms))
      throw misuse('MiniCluster', `advance(${ms}): no time is behind that.`, 'Give milliseconds.')
    await this.#driver.advance(ms)
  }

  /** Resolves in `ms` on the clock of the cluster: for sources and functions that wait. It does not move the clock. */
  sleep(ms: number): Promise<void> {
    const clock = this.#driver === undefined ? systemClock() : this.clock
    return new Promise((resolve) => void clock.setTimer(ms, resolve))
  }

  /** The wall clock of the process is set forward or back, as by an administrator; timers are not affected. */
  jumpClock(ms: number): void {
    if (!Number.isFinite(ms)) throw misuse('MiniCluster', `jumpClock(${ms}): no time is there.`, 'Give milliseconds.')
    this.#living('jumpClock').jumpClock(ms)
  }

  /** What has happened to a job so far. */
  eventsOf(job: JobClient): readonly JobEvent[] {
    return this.#watched(job, 'eventsOf').events
  }

  /**
   * A real server for Flink's REST API over the jobs of the process that lives now, on any free port where `options` names
   * none. Time in it is the cluster's, so ask by a bare `await fetch(…)`: `until` would move it meanwhile. It ends with the
   * process. Rejects with REST_NOT_LISTENING and as `restServer` throws.
   */
  rest(options: RestServerOptions = {}): Promise<RestServer> {
    const { ports } = this.#living('rest')
    const logger = this.#options.logger ?? silentLogger
    return this.#servers.open(options, { ...ports, logger }, this.#options.configuration ?? {})
  }

  /** From now on the disk does this to the operations of the processes; the returned function takes it back. */
  inject(fault: DiskFault): () => void {
    this.#faults.add(fault)
    return () => void this.#faults.delete(fault)
  }

  /**
   * The process dies at once; what its jobs promised never settles. `powerLoss`: the host as well, so that what was not
   * synced is lost in whole or part, drawn from the seed, as a POSIX file system may lose it or one that keeps the order.
   */
  kill(options: { readonly powerLoss?: DurabilityModel | undefined } = {}): void {
    this.#disk = this.#process.kill(options.powerLoss ?? 'nothing')
    void this.#servers.close()
  }

  /** A new process on the disk that the dead one left. Environments of the old one are of no more use. */
  restart(): void {
    if (this.#process.alive) throw misuse('MiniCluster', 'restart(): the process lives.', 'Call kill() before.')
    this.#servers = new ClusterServers()
    this.#process = this.#newProcess()
  }

  /** Kills the process. Files can be looked at also afterwards. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.alive) this.kill()
    await this.#servers.close()
  }

  #newProcess(): ClusterProcess {
    const { seed = 1, logger = silentLogger } = this.#options
    this.#locks = this.#locks.another()
    return new ClusterProcess({
      seed: seed + 1000 * this.#processes++,
      clock: this.#driver === undefined ? systemClock() : this.clock,
      turns: this.#driver ?? eventLoopTurns(),
      disk: this.#disk,
      locks: this.#locks,
      logger,
      interfere: (operation) => {
        for (const fault of this.#faults) {
          const interference = fault(operation)
          if (interference !== undefined) return interference
        }
      },
    })
  }

  #turnLimits() {
    if (this.#driver === undefined) return undefined
    return { turnMs: 8, turnMsWithControlWork: 2, backgroundMs: 2, stepsPerTurn: STEPS_PER_TURN }
  }

  #living(method: string): ClusterProcess {
    if (this.#process.alive) return this.#process
    throw misuse('MiniCluster', `${method}(): the process was killed.`, 'Call restart() before.')
  }

  #watched(job: JobClient, method: string): WatchedJob {
    const watched = this.#jobs.get(job.jobId)
    if (watched !== undefined) return watched
    throw misuse(
      'MiniCluster',
      `${method}(…): job ${job.jobId} was not started in this cluster.`,
      'Make its environment with environment().',
    )
  }

  #describe(): string {
    const jobs = [...this.#jobs.values()].map(({ handle, events }) => {
      const last = events.slice(-5).map((event) => `  ${JSON.stringify(event)}`)
      return [`job "${handle.jobName}" is ${handle.status()}; its last events:`, ...last].join('\n')
    })
    return [`It is ${this.clock.now()} ms.`, ...jobs].join('\n')
  }
}

function killed(): StreamError {
  return new StreamError('PROCESS_KILLED', {
    message: 'The process of the mini cluster was killed.',
    hint: "Call restart(), make the job again and start it with { resume: 'latest' }.",
  })
}

async function endedInstead(job: JobClient, what: string): Promise<never> {
  await job.getJobExecutionResult()
  throw new StreamError('SIMULATION_STUCK', { message: `Job ${job.jobId} had ended before it ${what}.` })
}
