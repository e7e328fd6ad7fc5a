/** Runs the processes of a plan in a mini cluster, and asks its server over real sockets. Not repeatable to the last event. */
import type { Clock } from '../../../src/base/clock.ts'
import { randomInteger, seededRandom } from '../../../src/base/random.ts'
import type { RestServer } from '../../../src/rest/index.ts'
import type { JobHandle } from '../../../src/runtime/job-handle.ts'
import { MiniCluster } from '../../../src/testing/index.ts'
import type { Outcome } from '../simulated-world.ts'
import type { Answer, Door } from './door.ts'
import type { Host } from './history.ts'
import { OperatedProcess, type Process, type ProcessReport, type Surroundings } from './process.ts'

export class ClusterHost implements Host, AsyncDisposable {
  readonly #cluster: MiniCluster
  /** Of the process that lives. */
  #server: RestServer | undefined

  constructor(seed: number) {
    const random = seededRandom(seed)
    this.#cluster = new MiniCluster({ seed })
    this.#cluster.files.write('/data/input', '')
    this.#cluster.inject(() =>
      random.next() < 0.3 ? { type: 'delay', delayMs: randomInteger(random, 1, 2) } : undefined,
    )
  }

  /** A process that is not killed lives on: the next job stands beside those that have ended. */
  async run(process: Process): Promise<ProcessReport> {
    const cluster = this.#cluster
    this.#server ??= await cluster.rest()
    const door = new SocketDoor(this.#server)
    await door.open()
    const operated = new OperatedProcess(process, {
      env: cluster.environment(),
      clock: wholeMs(cluster.clock),
      door,
      rest: door.rest,
      isSavepoint: (folder) => cluster.files.read(`${folder}/_metadata`) !== undefined,
    })
    const outcome = await this.#drive(operated, door)
    const report = operated.report(outcome)
    if (outcome === undefined) {
      const { loss } = process.life
      cluster.kill(loss === 'nothing' ? {} : { powerLoss: loss })
      cluster.restart()
      this.#server = undefined
    }
    return report
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster[Symbol.asyncDispose]()
  }

  /** While an answer is on its way, no time passes. Undefined: it is to be killed. */
  async #drive(operated: OperatedProcess, door: SocketDoor): Promise<Outcome<void> | undefined> {
    let outcome: Outcome<void> | undefined
    operated.work().then(
      () => {
        outcome = { type: 'returned', value: undefined }
      },
      (error: unknown) => {
        outcome = { type: 'threw', error }
      },
    )
    while (outcome === undefined) {
      await this.#cluster.advance(1)
      await door.answered()
      if (operated.isDue() || operated.complaints.length > 0) return undefined
    }
    return outcome
  }
}

class SocketDoor implements Door {
  job: JobHandle | undefined
  taskManagerId = ''
  /** The cluster shows the job; this is only told of it. */
  readonly rest: Surroundings['rest'] = {
    url: undefined,
    port: undefined,
    open: async ({ ports }) => ports.logger,
    serve: (job) => {
      this.job = job
    },
    answered: async () => {},
    close: async () => {},
  }
  readonly #server: RestServer
  readonly #underWay = new Set<Promise<unknown>>()

  constructor(server: RestServer) {
    this.#server = server
  }

  async open(): Promise<void> {
    const { text } = await this.ask('GET', '/taskmanagers')
    this.taskManagerId = JSON.parse(text).taskmanagers[0].id
  }

  ask(method: string, path: string, body?: unknown): Promise<Answer> {
    const answer = this.#ask(method, path, body)
    const isOver = answer.then(
      () => void this.#underWay.delete(isOver),
      () => void this.#underWay.delete(isOver),
    )
    this.#underWay.add(isOver)
    return answer
  }

  /** Every request has its answer, and whoever asked has gone on as far as it could. */
  async answered(): Promise<void> {
    while (this.#underWay.size > 0) {
      await Promise.all(this.#underWay)
      await new Promise((resolve) => void setImmediate(resolve))
    }
  }

  async #ask(method: string, path: string, body: unknown): Promise<Answer> {
    const answer = await fetch(`${this.#server.url}${path}`, {
      method,
      redirect: 'manual',
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: answer.status, type: answer.headers.get('content-type') ?? '', text: await answer.text() }
  }
}

/** A time that is read is a whole number, as of a real process. */
function wholeMs(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimer: (delayMs, fired) => clock.setTimer(Math.ceil(delayMs), fired),
  }
}
