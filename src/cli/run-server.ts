/** The REST server of one run: it listens before the job file is evaluated, and ends when those who asked have their answers. */

import type { ConfigurationLayer } from '../base/config/configuration-layer.ts'
import { ConfigurationReader } from '../base/config/configuration-reader.ts'
import type { Logger } from '../base/logger.ts'
import type { RunningJob } from '../base/run-context.ts'
import type { JobHandle } from '../runtime/job-handle.ts'
import type { RunRequest } from './command-line.ts'
import type { ProcessBoundary } from './process-boundary.ts'

export interface RunServer {
  /** What the jobs log by: the server shows it. */
  readonly logger: Logger
  /** Undefined: there is none. */
  readonly url: string | undefined
  /** A job of a copy of the package that cannot be shown is passed over, and that is said once. */
  serve(job: RunningJob): void
  /** Settles when the results of operations that were triggered have been asked for, or after 10 s. */
  answered(): Promise<void>
  /** Waits for `answered` unless it is `atOnce`. */
  close(options: { readonly atOnce: boolean }): Promise<void>
}

/** Rejects where it cannot listen: then nothing is run. */
export async function openRunServer(
  { rest }: RunRequest,
  layers: readonly ConfigurationLayer[],
  boundary: ProcessBoundary,
  logger: Logger,
): Promise<RunServer> {
  if (rest === undefined || boundary.openRest === undefined) return noServer(logger)
  const { port, dashboard } = rest
  const opened = await boundary.openRest(
    { port, dashboard: dashboard === undefined ? undefined : boundary.absolutePath(dashboard) },
    { configuration: new ConfigurationReader(layers), logger },
  )
  let said = false
  return {
    logger: opened.logger,
    url: opened.server.url,
    serve(job) {
      if (canBeShown(job)) return opened.server.serve(job)
      if (!said) logger.warn('the job imports a copy of the package whose jobs the REST interface cannot show')
      said = true
    },
    answered: () => opened.server.answered(),
    close: ({ atOnce }) => opened.server.close(atOnce ? { withinMs: 0 } : {}),
  }
}

function noServer(logger: Logger): RunServer {
  return { logger, url: undefined, serve: () => {}, answered: async () => {}, close: async () => {} }
}

/** What crosses from another copy is looked at, not trusted to be what this copy compiled against. */
function canBeShown(job: RunningJob): job is RunningJob & JobHandle {
  const parts = ['executionGraph', 'measurements', 'checkpoints'] satisfies (keyof JobHandle)[]
  return parts.every((part) => typeof Reflect.get(job, part) === 'function')
}
