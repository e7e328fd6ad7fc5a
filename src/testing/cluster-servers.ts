/** The REST servers of one simulated process: real sockets over its jobs, which live on the cluster's clock. */
import { ProgramOptions } from '../api/program-options.ts'
import { ConfigurationReader } from '../base/config/configuration-reader.ts'
import type { Configuration } from '../base/config/options.ts'
import type { Ports } from '../base/ports.ts'
import type { RestServer } from '../rest/rest-server.ts'
import type { RestServerOptions } from '../rest/rest-server-options.ts'
import type { JobHandle } from '../runtime/job-handle.ts'

export class ClusterServers {
  readonly #jobs: JobHandle[] = []
  readonly #servers: RestServer[] = []
  #closing: Promise<unknown> | undefined

  /** Every server shows it, those that are opened later too. */
  add(job: JobHandle): void {
    this.#jobs.push(job)
    for (const server of this.#servers) server.serve(job)
  }

  /** On any free port where `options` names none. Rejects with REST_NOT_LISTENING and the like. */
  async open(options: RestServerOptions, ports: Ports, configuration: Configuration): Promise<RestServer> {
    // Loaded for a test that wants it alone.
    const { restServer } = await import('../rest/rest-server.ts')
    const server = restServer({ ...options, port: options.port ?? 0 })
    const program = new ProgramOptions()
    program.setAll(configuration)
    await server.open({ ports, configuration: new ConfigurationReader([program.layer()]) })
    for (const job of this.#jobs) server.serve(job)
    this.#servers.push(server)
    // Killed meanwhile: it ends as those do that were there before.
    if (this.#closing !== undefined) await server.close({ withinMs: 0 })
    return server
  }

  /** The process is dead: nobody gets a result any more. */
  close(): Promise<unknown> {
    this.#closing ??= Promise.all(this.#servers.map((server) => server.close({ withinMs: 0 })))
    return this.#closing
  }
}
