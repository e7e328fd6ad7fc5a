/** Environments whose jobs are not run: what would have been started is kept for the test to look at. */
import { endedJob } from '../../../src/api/ended-job.ts'
import {
  type EnvironmentSurroundings,
  StreamExecutionEnvironment,
} from '../../../src/api/stream-execution-environment.ts'
import { assert } from '../../../src/base/assert.ts'
import type { ConfigurationLayer } from '../../../src/base/config/configuration-layer.ts'
import type { Logger } from '../../../src/base/logger.ts'
import type { RunContext } from '../../../src/base/run-context.ts'
import { systemPorts } from '../../../src/base/system-ports.ts'
import type { JobGraph } from '../../../src/graph/job-graph.ts'
import type { StartOptions } from '../../../src/runtime/execute.ts'

export interface StartedJob {
  readonly graph: JobGraph
  readonly options: StartOptions
}

export class Launchpad {
  readonly started: StartedJob[] = []
  readonly lines: string[] = []
  readonly env: StreamExecutionEnvironment

  constructor(
    around: {
      readonly layers?: readonly ConfigurationLayer[]
      readonly run?: RunContext
      readonly alreadyEnded?: boolean
    } = {},
  ) {
    const logger: Logger = {
      debug: (line) => void this.lines.push(line),
      info: (line) => void this.lines.push(line),
      warn: (line) => void this.lines.push(line),
      error: (line) => void this.lines.push(line),
    }
    const surroundings: EnvironmentSurroundings = {
      layers: around.layers ?? around.run?.layers ?? [],
      run: around.run,
      ports: () => systemPorts({ logger }),
      start: async (graph, options) => {
        this.started.push({ graph, options })
        if (around.alreadyEnded === true)
          return { type: 'alreadyEnded', jobId: 'b'.repeat(32), status: 'FINISHED', message: 'nothing left to do' }
        return {
          type: 'started',
          handle: endedJob({ jobId: 'a'.repeat(32), jobName: options.jobName, status: 'FINISHED' }),
        }
      },
    }
    this.env = new StreamExecutionEnvironment(surroundings)
  }

  /** What the last `execute` started. */
  last(): StartedJob {
    const last = this.started.at(-1)
    assert(last !== undefined, 'the test asks for a job that was never started')
    return last
  }
}

export const layerOf = (
  level: ConfigurationLayer['level'],
  options: Readonly<Record<string, unknown>>,
): ConfigurationLayer => ({
  level,
  entries: Object.entries(options).map(([key, value]) => ({ key, value })),
})
