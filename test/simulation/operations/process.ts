/** One process of a plan, wherever it runs: declares the job, has it operated, and reports what became of it. */
import type { ExecuteOptions } from '../../../src/api/execute-options.ts'
import type { Clock } from '../../../src/base/clock.ts'
import { seededRandom } from '../../../src/base/random.ts'
import {
  type JobEvent,
  type JobStatus,
  RestartStrategies,
  type StreamExecutionEnvironment,
} from '../../../src/index.ts'
import type { JobHandle } from '../../../src/runtime/job-handle.ts'
import type { Tally } from '../random-graphs/trouble.ts'
import type { Outcome } from '../simulated-world.ts'
import { declareJob, type Store } from './accounts.ts'
import type { Door } from './door.ts'
import type { Errands } from './errands.ts'
import type { Savepoints, Start } from './history.ts'
import { Operator } from './operator.ts'
import type { LifePlan, Plan } from './plan.ts'
import type { Sabotage } from './sabotage.ts'

export interface Process {
  readonly plan: Plan
  readonly life: LifePlan
  readonly lived: number
  readonly store: Store
  readonly start: Start
  readonly savepoints: Savepoints
  readonly tally: Tally
  readonly sabotage: Sabotage | undefined
}

/** What a process runs in. */
export interface Surroundings {
  readonly env: StreamExecutionEnvironment
  readonly clock: Clock
  readonly door: Door
  /** Makes the job known to the door; it is served before this resolves. */
  readonly rest: NonNullable<ExecuteOptions['rest']>
  isSavepoint(folder: string): boolean
}

export interface ProcessReport {
  readonly life: LifePlan
  readonly outcome: Outcome<void>
  /** Of the job, at the end; undefined: it did not start. */
  readonly status: JobStatus | undefined
  /** Its record says that it is over: nothing was started. */
  readonly hadEnded: boolean
  readonly errands: Errands | undefined
  readonly complaints: readonly string[]
}

export class OperatedProcess {
  readonly complaints: string[] = []
  readonly #process: Process
  readonly #around: Surroundings
  readonly #events: JobEvent[] = []
  readonly #startMs: number
  #operator: Operator | undefined

  constructor(process: Process, around: Surroundings) {
    this.#process = process
    this.#around = around
    this.#startMs = around.clock.now()
  }

  /** It is time to be killed. */
  isDue(): boolean {
    const { killAfterMs = Number.POSITIVE_INFINITY } = this.#process.life
    return this.#around.clock.now() - this.#startMs >= killAfterMs
  }

  /** Resolves when the job is over and everybody knows everything. Rejects where it does not start. */
  async work(): Promise<void> {
    const { env, door, rest } = this.#around
    const { name, from, claimMode } = this.#process.start
    configure(env, this.#process)
    declare(env, this.#process, this.#around.clock)
    await env.executeAsync(name, { rest, resume: 'latest', fromSavepoint: from, claimMode })
    const { job } = door
    if (job === undefined) return
    job.subscribe((event) => this.#events.push(event))
    this.#operator = this.#operatorOf(job)
    await this.#operator.work()
  }

  /** `outcome` undefined: it was killed. */
  report(outcome: Outcome<void> | undefined): ProcessReport {
    const { life, tally } = this.#process
    const { job } = this.#around.door
    const errands = this.#operator?.errands
    if (outcome !== undefined) this.complaints.push(...tooMany(this.#events, errands))
    const completed = this.#completed()
    tally.add(
      'checkpoints: with records in flight',
      completed.filter(({ persistedBytes }) => persistedBytes > 0).length,
    )
    tally.add('checkpoints: completed', completed.length)
    tally.add('restarts: all', this.#events.filter(({ type }) => type === 'restart.scheduled').length)
    return {
      life,
      outcome: outcome ?? { type: 'died' },
      status: job?.status(),
      hadEnded: job === undefined && outcome?.type === 'returned',
      errands,
      complaints: this.complaints,
    }
  }

  #operatorOf(job: JobHandle): Operator {
    const { lived, life, start, savepoints, tally } = this.#process
    const { clock, door, isSavepoint } = this.#around
    return new Operator({
      door: { job, taskManagerId: door.taskManagerId, ask: (...asked) => door.ask(...asked) },
      clock,
      random: seededRandom(life.seed + 7),
      tally,
      ending: life.ending,
      pauseMs: life.pauseMs,
      complain: (what) =>
        void this.complaints.push(`process ${lived}, ${Math.round(clock.now() - this.#startMs)} ms: ${what}`),
      isCompleted: (id) => this.#completed().some(({ checkpointId }) => checkpointId === id),
      isSavepoint,
      disposable: () =>
        savepoints.but(
          start,
          this.#completed().some(({ kind }) => kind === 'checkpoint'),
        ),
    })
  }

  #completed(): readonly Completed[] {
    return this.#events.filter((event) => event.type === 'checkpoint.completed')
  }
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

function declare(env: StreamExecutionEnvironment, { plan, life, store, tally }: Process, clock: Clock): void {
  const random = seededRandom(life.seed + 3)
  const perhaps = (rate: number, what: string) => {
    if (rate === 0 || random.next() >= rate) return
    tally.add(`thrown: ${what}`)
    throw new Error(`thrown in ${what}, as the plan wants it`)
  }
  declareJob(env, {
    input: plan.input,
    store,
    clock,
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
