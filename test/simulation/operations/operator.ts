/**
 * Whoever operates the job of one process over REST: does something drawn every few milliseconds until the job is over, and
 * then asks for every result that is still owed.
 */
import { isOver } from '../../../src/api/ended-job.ts'
import type { Clock } from '../../../src/base/clock.ts'
import { type Random, randomInteger } from '../../../src/base/random.ts'
import type { JobHandle } from '../../../src/runtime/job-handle.ts'
import type { Tally } from '../random-graphs/trouble.ts'
import { passing } from './accounts.ts'
import type { Door } from './door.ts'
import { type Errand, Errands, type ErrandsOptions, type Kind, localPathOf } from './errands.ts'
import { drawRead, isErrors, parsed, wrongWith } from './reads.ts'
import { Watcher } from './watcher.ts'

/** How the job of a process is to be ended, from when on. */
export interface Ending {
  readonly kinds: readonly ('stop' | 'drain' | 'cancel with savepoint' | 'cancel')[]
  readonly afterMs: number
}

export interface OperatorOptions extends Omit<ErrandsOptions, 'door'> {
  readonly door: Door & { readonly job: JobHandle }
  readonly clock: Clock
  readonly random: Random
  readonly tally: Tally
  readonly ending: Ending | undefined
  /** Between two things that it does, at most. */
  readonly pauseMs: number
  /** Savepoints of earlier processes that nobody needs. */
  readonly disposable: () => readonly string[]
}

const UNKNOWN = '0'.repeat(31)
/** Between two tries to end a job that restarts. */
const AGAIN_MS = 6
/** Operations at a time. */
const MOST_OPEN = 8
/** No job takes so long. */
const LONGEST_MS = 20_000
/** Within it everything that was triggered has its result, when the job is over. */
const RESULTS_MS = 2000

export class Operator {
  readonly errands: Errands
  /** A cancel without a savepoint was asked for. */
  canceled = false
  readonly #options: OperatorOptions
  readonly #watcher: Watcher
  #nextEndMs: number

  constructor(options: OperatorOptions) {
    const { clock, ending } = options
    this.#options = options
    this.errands = new Errands(options)
    this.#watcher = new Watcher(options.complain)
    this.#nextEndMs = ending === undefined ? Number.POSITIVE_INFINITY : clock.now() + ending.afterMs
  }

  /** Resolves when the job is over and every result is known. */
  async work(): Promise<void> {
    const { clock, door, random, pauseMs, complain } = this.#options
    for (const endMs = clock.now() + LONGEST_MS; !isOver(door.job.status()); ) {
      if (clock.now() > endMs) return complain(`the job is ${door.job.status()} and does not come to its end`)
      await passing(clock, 0.2 + random.next() * pauseMs)
      const several = random.next() < 0.15 ? randomInteger(random, 2, 4) : 1
      await Promise.all(Array.from({ length: several }, () => this.#act()))
      this.#look()
    }
    await door.job.result.catch(() => {
      // How it ended is seen by its status.
    })
    await this.#act()
    for (const endMs = clock.now() + RESULTS_MS; clock.now() < endMs; await passing(clock, 1)) {
      for (const errand of this.errands.all) await this.errands.poll(errand)
      if (this.errands.all.every(({ told }) => told !== undefined)) break
    }
    this.errands.checkEnd()
    if (door.job.status() === 'CANCELED' && !this.canceled && !this.errands.has('cancel with savepoint'))
      complain('the job is canceled, and nobody wanted that')
    for (let read = 0; read < 5; read++) await this.#read()
    this.#look()
  }

  #look(): void {
    const { door, clock } = this.#options
    this.#watcher.look(door.job, clock.now())
  }

  async #act(): Promise<void> {
    const { random, clock, ending } = this.#options
    const open = this.errands.all.filter(({ told }) => told === undefined)
    if (ending !== undefined && clock.now() >= this.#nextEndMs) {
      this.#nextEndMs = clock.now() + AGAIN_MS
      const ends = open.filter(({ kind }) => kind === 'stop' || kind === 'drain' || kind === 'cancel with savepoint')
      await Promise.all(ends.map((errand) => this.errands.poll(errand)))
      if (ends.length === 0) await Promise.all(ending.kinds.map((kind) => this.#end(kind)))
      return
    }
    // More would only wait, and at some number be refused.
    if (open.length > MOST_OPEN) return this.#poll()
    const drawn = random.next()
    if (drawn < 0.4) return this.#read()
    if (drawn < 0.6) return this.#poll()
    if (drawn < 0.7) return this.#savepoint()
    if (drawn < 0.77) return this.#repeat()
    if (drawn < 0.86) return this.#checkpoint()
    if (drawn < 0.93) return this.#dispose()
    return this.#refused()
  }

  async #read(): Promise<void> {
    const { door, random, tally, complain } = this.#options
    const triggerIds = this.errands.all.map(({ triggerId }) => triggerId)
    const read = drawRead({ random, job: door.job, taskManagerId: door.taskManagerId, triggerIds })
    const answer = await door.ask('GET', read.path)
    tally.add(`reads: ${answer.status}`)
    for (const what of wrongWith(read, answer)) complain(what)
  }

  async #poll(): Promise<void> {
    const errand = this.#one(this.errands.all)
    if (errand !== undefined) await this.errands.poll(errand)
  }

  async #savepoint(): Promise<void> {
    await this.#trigger('savepoint', this.#own())
  }

  /** The id of an operation of before, whatever that was: no other begins. */
  async #repeat(): Promise<void> {
    const { tally } = this.#options
    const before = this.#one(this.errands.all.filter(({ kind }) => kind !== 'disposal'))
    if (before === undefined) return
    tally.add('triggers: repeated')
    const { triggerId } = before
    if (before.kind === 'checkpoint') await this.errands.trigger('checkpoint', this.#path('checkpoints'), { triggerId })
    else await this.#trigger('savepoint', triggerId.toUpperCase())
  }

  async #checkpoint(): Promise<void> {
    const { random } = this.#options
    const checkpointType = random.next() < 0.4 ? 'FULL' : 'CONFIGURED'
    const triggerId = random.next() < 0.5 ? null : this.#own()
    await this.errands.trigger('checkpoint', this.#path('checkpoints'), { checkpointType, triggerId })
  }

  async #dispose(): Promise<void> {
    const { random, disposable } = this.#options
    const own = this.errands.all.flatMap(({ kind, told }) =>
      kind === 'savepoint' && told !== undefined && 'result' in told ? [localPathOf(told.result)] : [],
    )
    const path = this.#one([...own, ...disposable()])
    if (path === undefined) return
    const named = random.next() < 0.5 ? `file:${path}` : path
    await this.errands.trigger('disposal', '/v1/savepoint-disposal', { 'savepoint-path': named }, { path })
  }

  async #end(kind: Ending['kinds'][number]): Promise<void> {
    const { door, tally, random } = this.#options
    if (isOver(door.job.status())) return
    if (kind !== 'cancel') {
      await this.#trigger(kind, random.next() < 0.5 ? undefined : this.#own())
      return
    }
    this.canceled = true
    const answer = await door.ask('PATCH', `/v1/jobs/${door.job.jobId}?mode=cancel`, {})
    tally.add(`cancel: ${answer.status}`)
    if (answer.status !== 202 && answer.status !== 409)
      this.#options.complain(`cancel: ${answer.status} ${answer.text}`)
  }

  #trigger(kind: Exclude<Kind, 'disposal' | 'checkpoint'>, triggerId: string | undefined): Promise<Errand | undefined> {
    const { random } = this.#options
    const format = random.next() < 0.5 ? 'NATIVE' : 'CANONICAL'
    const id = triggerId === undefined ? {} : { triggerId }
    const directory = random.next() < 0.5 ? null : '/data/savepoints/elsewhere'
    if (kind === 'stop' || kind === 'drain') {
      const body = { targetDirectory: directory, drain: kind === 'drain', formatType: format, ...id }
      return this.errands.trigger(kind, this.#path('stop'), body, { format })
    }
    const body = { 'target-directory': directory, 'cancel-job': kind !== 'savepoint', formatType: format, ...id }
    return this.errands.trigger(kind, this.#path('savepoints'), body, { format })
  }

  /** What is never done, in words that Flink's clients know. */
  async #refused(): Promise<void> {
    const { door, random, complain } = this.#options
    const { jobId } = door.job
    const id = `${UNKNOWN}${randomInteger(random, 1, 9)}`
    const [method, path, body, status] = this.#one([
      ['POST', `/jobs/${jobId}/savepoints`, { 'cancel-job': 'maybe' }, 400],
      ['POST', `/jobs/${jobId}/stop`, { targetDirectory: 'relative' }, 400],
      ['POST', `/jobs/${jobId}/stop`, { targetDirectory: '/data/../etc' }, 400],
      ['POST', `/jobs/${jobId}/checkpoints`, { checkpointType: 'INCREMENTAL' }, 500],
      ['POST', '/savepoint-disposal', {}, 400],
      ['GET', `/jobs/${jobId}/savepoints/${id}`, undefined, 404],
      ['GET', `/jobs/${jobId}/checkpoints/${id}`, undefined, 404],
      ['GET', `/savepoint-disposal/${id}`, undefined, 404],
      ['PATCH', `/jobs/${id}`, {}, 404],
      ['PATCH', `/jobs/${jobId}?mode=stop`, {}, 308],
      ['GET', `/jobs/${jobId}/yarn-cancel`, undefined, 403],
      ['PUT', `/jobs/${jobId}`, {}, 404],
    ] as const) as readonly [string, string, object | undefined, number]
    const answer = await door.ask(method, path, body)
    if (answer.status !== status || !isErrors(parsed(answer.text)))
      complain(`${method} ${path} was answered ${answer.status}, and not ${status}: ${answer.text.slice(0, 300)}`)
  }

  #path(what: string): string {
    return `/v1/jobs/${this.#options.door.job.jobId}/${what}`
  }

  /** A trigger id of whoever asks. */
  #own(): string {
    const { random } = this.#options
    return Array.from({ length: 32 }, () => randomInteger(random, 0, 15).toString(16)).join('')
  }

  #one<T>(all: readonly T[]): T | undefined {
    return all.length === 0 ? undefined : all[randomInteger(this.#options.random, 0, all.length - 1)]
  }
}
