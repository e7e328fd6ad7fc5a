/** The REST API of a simulated process without a socket: what `execute` takes as `rest`, and requests to it. */
import type { RestEndpoint, RestSurroundings } from '../../../src/api/execute-options.ts'
import type { Logger } from '../../../src/base/logger.ts'
import { ALL_ROUTES } from '../../../src/rest/all-routes.ts'
import { type AsyncOperations, asyncOperations } from '../../../src/rest/async-operations.ts'
import { makeMetricStore } from '../../../src/rest/metric-store.ts'
import { type RestApplication, restApplication } from '../../../src/rest/rest-application.ts'
import type { JobHandle } from '../../../src/runtime/job-handle.ts'
import { clusterOf } from '../../unit/rest/cluster-fixture.ts'
import type { Answer, Door } from './door.ts'
import { operationsWith, type Sabotage, servedWith } from './sabotage.ts'

export class SimulatedDoor implements Door, RestEndpoint {
  readonly url = undefined
  readonly port = undefined
  job: JobHandle | undefined
  readonly #cluster = clusterOf()
  readonly #sabotage: Sabotage | undefined
  readonly #note: (what: string) => void
  #application: RestApplication | undefined

  /** `note` is told of each request. */
  constructor(sabotage: Sabotage | undefined, note: (what: string) => void) {
    this.#sabotage = sabotage
    this.#note = note
  }

  get taskManagerId(): string {
    return this.#cluster.taskManagerId
  }

  async open({ ports, configuration }: RestSurroundings): Promise<Logger> {
    const { jobs, process, log, settings } = this.#cluster
    const { clock } = ports
    const operations: AsyncOperations = asyncOperations({ clock, storeDurationMs: settings.storeDurationMs })
    const logger = log.through(ports.logger)
    this.#application = restApplication({
      routes: ALL_ROUTES,
      cluster: {
        ...this.#cluster,
        ports: { ...ports, logger },
        configuration,
        operations: operationsWith(operations, this.#sabotage),
        metrics: makeMetricStore(ports, process, jobs),
        startedAtMs: clock.now(),
      },
    })
    return logger
  }

  serve(job: JobHandle): void {
    this.job = servedWith(job, this.#sabotage)
    this.#cluster.jobs.add(this.job)
  }

  async answered(): Promise<void> {}

  async close(): Promise<void> {}

  async ask(method: string, path: string, body?: unknown): Promise<Answer> {
    if (this.#application === undefined) throw new Error('The door is not open: no job was started.')
    const text = body === undefined ? undefined : JSON.stringify(body)
    const sent = {
      ...{ host: 'localhost:8081', 'content-type': 'application/json' },
      ...(text === undefined ? {} : { 'content-length': `${text.length}` }),
    }
    const request = new Request(`http://localhost:8081${path}`, { method, headers: sent, body: text ?? null })
    const answer = await this.#application(request)
    const told = { status: answer.status, type: answer.headers.get('content-type') ?? '', text: await answer.text() }
    this.#note(`${method} ${path} ${text ?? ''}: ${told.status} ${told.text.slice(0, 200)}`)
    return told
  }
}
