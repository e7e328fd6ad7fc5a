/** Where a program begins and ends: it makes streams, holds the job's options, and hands the finished graph to the runtime. */
import type { ConfigurationLayer } from '../base/config/configuration-layer.ts'
import { logNotices } from '../base/config/configuration-notices.ts'
import { ConfigurationReader } from '../base/config/configuration-reader.ts'
import type { Duration } from '../base/config/duration.ts'
import type { Configuration } from '../base/config/options.ts'
import { StreamError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Ports } from '../base/ports.ts'
import { type DeclaredJob, type PlanContext, type RunContext, runContext } from '../base/run-context.ts'
import { collectionSource } from '../connectors/collection/collection-source.ts'
import { sequenceSource } from '../connectors/sequence/sequence-source.ts'
import { buildJobGraph } from '../graph/build-job-graph.ts'
import type { JobGraph } from '../graph/job-graph.ts'
import type { GraphOptions } from '../graph/transformation.ts'
import type { Source } from '../operators/source.ts'
import { sourceOperator } from '../operators/source-operator.ts'
import { WatermarkStrategy } from '../operators/watermark-strategy.ts'
import type { startJob } from '../runtime/execute.ts'
import type { JobExecutionResult } from '../runtime/job-handle.ts'
import { CheckpointConfig } from './checkpoint-config.ts'
import type { CheckpointingMode } from './checkpointing-mode.ts'
import { endedJob } from './ended-job.ts'
import { checkExecuteOptions, type ExecuteOptions, startOf } from './execute-options.ts'
import { JobClient } from './job-client.ts'
import { checkedParallelism, requireMember } from './operator-settings.ts'
import { processPorts } from './process-ports.ts'
import { ProgramOptions } from './program-options.ts'
import type { RestartStrategyConfiguration } from './restart-strategies.ts'
import type { SingleOutputStreamOperator } from './single-output-stream-operator.ts'
import { type JobEndListener, StreamRecorder } from './stream-recorder.ts'
import { unseenOutput, withoutSink } from './unseen-output.ts'

/** How an environment is made. */
export interface EnvironmentOptions {
  /** As code of the job: stronger than command line and file. */
  readonly configuration?: Configuration | undefined
  /** Without one, the library says nothing. */
  readonly logger?: Logger | undefined
}

/** What stands around an environment: real for programs, replaced by tests. */
export interface EnvironmentSurroundings {
  readonly ports: () => Ports
  /** Below the code of the job, strongest first. */
  readonly layers: readonly ConfigurationLayer[]
  readonly run: RunContext | undefined
  /**
   * The runtime's door.
   * @internal Its types stay out of the declarations.
   */
  readonly start: typeof startJob
}

const DEFAULT_JOB_NAME = 'Millrace Streaming Job'

/** The runtime is loaded with the first job: a program that only imports the library, or builds graphs, does not wait for it. */
const startInRuntime: typeof startJob = async (graph, options) => {
  const runtime = await import('../runtime/execute.ts')
  return runtime.startJob(graph, options)
}

/**
 * Where a program begins and ends: makes streams, holds the job's options, and runs what was declared. One job at a
 * time.
 */
export class StreamExecutionEnvironment {
  readonly #surroundings: EnvironmentSurroundings
  readonly #options = new ProgramOptions()
  readonly #checkpointConfig = new CheckpointConfig(this.#options)
  readonly #recorder = new StreamRecorder(
    () => this.#configuration().get('parallelism.default'),
    (jobName, options) => this.executeAsync(jobName, options),
  )

  /** Each call is a new environment. Under `millrace run` it takes what the command line and the configuration file say. */
  static getExecutionEnvironment(options: EnvironmentOptions = {}): StreamExecutionEnvironment {
    const run = runContext()
    const logger = options.logger ?? run?.logger
    const surroundings = { ports: () => processPorts(logger), layers: run?.layers ?? [], run, start: startInRuntime }
    return new StreamExecutionEnvironment(surroundings).configure(options.configuration ?? {})
  }

  /** For `millrace/testing`, which brings ports of its own; programs call `getExecutionEnvironment`. */
  constructor(surroundings: EnvironmentSurroundings) {
    this.#surroundings = surroundings
  }

  /** A checkpoint every `interval`, 10 ms or more. */
  enableCheckpointing(interval: Duration, mode?: CheckpointingMode): this {
    this.#options.set('execution.checkpointing.interval', interval, 'enableCheckpointing')
    if (mode !== undefined) this.#checkpointConfig.setCheckpointingMode(mode)
    return this
  }

  /** The options of checkpoints beside their interval. */
  getCheckpointConfig(): CheckpointConfig {
    return this.#checkpointConfig
  }

  /** Replaces the strategy with all its options. */
  setRestartStrategy(strategy: RestartStrategyConfiguration): this {
    this.#options.clear('restart-strategy.')
    return this.configure(strategy.options)
  }

  /** Of the operators that are declared from now on. Default: 1. */
  setParallelism(parallelism: number): this {
    this.#options.set('parallelism.default', parallelism, 'setParallelism')
    return this
  }

  /** As it counts for the next operator that is declared. */
  getParallelism(): number {
    return this.#configuration().get('parallelism.default')
  }

  /** The number of key groups: fixed for as long as the state lives. Default: by Flink's formula, at least 128. */
  setMaxParallelism(maxParallelism: number): this {
    this.#options.set('pipeline.max-parallelism', checkedParallelism('setMaxParallelism', maxParallelism))
    return this
  }

  /**
   * Where keyed state lives: `hashmap`, on the heap, or `leveldb`, on disk behind a cache. The folder of the job's checkpoints
   * is another one: what lies on this disk is scratch.
   */
  setStateBackend(backend: 'hashmap' | 'leveldb'): this {
    this.#options.set('state.backend.type', backend, 'setStateBackend')
    return this
  }

  /** Adds options, each replacing its earlier value. */
  configure(configuration: Configuration): this {
    this.#options.setAll(configuration)
    return this
  }

  /**
   * A stream of what `source` reads, with the timestamps and watermarks of `strategy`. `name` is shown, and is not the
   * uid.
   */
  fromSource<T>(
    source: Source<T>,
    strategy: WatermarkStrategy<NoInfer<T>>,
    name: string,
  ): SingleOutputStreamOperator<T> {
    requireMember('fromSource', source, 'createReader', 'a source, such as FileSource.forLines(path)')
    return this.#recorder.source<T>({
      name,
      inputs: [],
      source,
      factory: ({ autoWatermarkIntervalMs }) => sourceOperator<T>(source, strategy, autoWatermarkIntervalMs),
    })
  }

  /** A bounded stream of these values, in order; of parallelism 1. Iterated again after a failure. */
  fromData<T>(values: Iterable<T> & object): SingleOutputStreamOperator<T> {
    return this.fromSource<T>(
      collectionSource(values),
      WatermarkStrategy.noWatermarks(),
      'Collection Source',
    ).setParallelism(1)
  }

  /** The whole numbers from `from` to `to`, both included. Parallel: the subtasks share them. */
  fromSequence(from: number, to: number): SingleOutputStreamOperator<number> {
    return this.fromSource<number>(sequenceSource(from, to), WatermarkStrategy.noWatermarks(), 'Sequence Source')
  }

  /** Runs what was declared and waits for its end. The environment is empty again at once. */
  async execute(jobName?: string, options?: ExecuteOptions): Promise<JobExecutionResult> {
    const client = await this.executeAsync(jobName, options)
    return client.getJobExecutionResult()
  }

  /** Resolves when the job has started. The environment is empty again at once. */
  async executeAsync(jobName?: string, options: ExecuteOptions = {}): Promise<JobClient> {
    const { run } = this.#surroundings
    const { operators, listeners } = this.#recorder.take()
    let name = jobName ?? DEFAULT_JOB_NAME
    try {
      checkExecuteOptions(jobName, options)
      const configuration = this.#configuration()
      name = jobName ?? configuration.get('pipeline.name') ?? DEFAULT_JOB_NAME
      const graph = buildJobGraph(operators, graphOptions(configuration))
      const warnings = [
        unseenOutput(name, operators, configuration.isSet('execution.checkpointing.interval')),
        withoutSink(name, operators),
      ]
      const client =
        run?.plan === undefined
          ? await this.#start(graph, name, configuration, options, warnings)
          : await handedOver(run.plan, {
              jobName: name,
              graph,
              allowNonRestoredState: startOf(options, run.plan.options, configuration).allowNonRestoredState ?? false,
              stateBackend: configuration.get('state.backend.type'),
            })
      tellTheEnd(client, listeners)
      return client
    } catch (refusal) {
      for (const listener of listeners) listener(refusal)
      run?.jobRefused(name, refusal)
      throw refusal
    }
  }

  async #start(
    graph: JobGraph,
    jobName: string,
    configuration: ConfigurationReader,
    options: ExecuteOptions,
    warnings: readonly (string | undefined)[],
  ): Promise<JobClient> {
    const { run, start } = this.#surroundings
    const { signal, rest } = options
    if (signal?.aborted === true) throw abortedBeforeStart(jobName, signal)
    const own = this.#surroundings.ports()
    const logger = await rest?.open({ ports: own, configuration })
    const ports = logger === undefined ? own : { ...own, logger }
    // What the command handed over was checked and logged by it.
    const unread = run === undefined ? configuration : new ConfigurationReader([this.#options.layer()])
    logNotices(unread.notices, ports.logger)
    for (const warning of warnings) if (warning !== undefined) ports.logger.warn(warning)
    const from = startOf(options, run?.options, configuration)
    const started = await start(graph, { ports, configuration, jobName, start: from })
    const handle = started.type === 'started' ? started.handle : endedJob({ ...started, jobName })
    if (started.type === 'started') {
      rest?.serve(handle)
      run?.jobStarted(handle)
    } else if (run === undefined) ports.logger.info(started.message)
    else run.jobSkipped(jobName, started.message)
    return new JobClient(handle, { signal, canSuspend: keepsCheckpoints(configuration) })
  }

  #configuration(): ConfigurationReader {
    return new ConfigurationReader([this.#options.layer(), ...this.#surroundings.layers])
  }
}

/** For `millrace plan`. Settles only where the plan is of another job. */
async function handedOver(plan: PlanContext, declared: DeclaredJob): Promise<JobClient> {
  if (plan.jobDeclared(declared) === 'taken') return new Promise(() => {})
  const handle = endedJob({ jobId: '0'.repeat(32), jobName: declared.jobName, status: 'FINISHED' })
  return new JobClient(handle, { signal: undefined, canSuspend: false })
}

/** Whoever reads a CollectSink learns that nothing more comes, or what failed the job. */
function tellTheEnd(client: JobClient, listeners: readonly JobEndListener[]): void {
  client.getJobExecutionResult().then(
    () => {
      for (const listener of listeners) listener()
    },
    (failure) => {
      for (const listener of listeners) listener(failure)
    },
  )
}

function graphOptions(configuration: ConfigurationReader): GraphOptions {
  const maxParallelism = configuration.get('pipeline.max-parallelism')
  return {
    chaining: configuration.get('pipeline.operator-chaining.enabled'),
    maxParallelism: maxParallelism < 1 ? undefined : maxParallelism,
    autoWatermarkIntervalMs: configuration.get('pipeline.auto-watermark-interval'),
  }
}

/** Checkpoints of the job outlive the process, so that a last one is worth taking. */
function keepsCheckpoints(configuration: ConfigurationReader): boolean {
  return (
    configuration.isSet('execution.checkpointing.interval') &&
    configuration.isSet('execution.checkpointing.dir') &&
    configuration.get('execution.checkpointing.storage') !== 'jobmanager'
  )
}

function abortedBeforeStart(jobName: string, signal: AbortSignal): StreamError {
  return new StreamError('JOB_CANCELED', {
    message: `The job "${jobName}" was not started: its signal was aborted before.`,
    hint: 'Give execute a signal that is not aborted yet.',
    cause: signal.reason,
  })
}
