/**
 * The runtime's only door: starts a job and hands out what its owner holds. Opens the store, makes both sides of the job
 * and the link between them; decides nothing.
 */
import type { ConfigurationReader } from '../base/config/configuration-reader.ts'
import type { Ports } from '../base/ports.ts'
import { isChangeOfFrozen } from '../elements/deep-freeze.ts'
import type { JobGraph } from '../graph/job-graph.ts'
import { CheckpointStatistics } from './checkpoint-statistics.ts'
import { causes } from './control/causes.ts'
import type { ChartTap } from './control/host-chart.ts'
import { textOf } from './control/text-of.ts'
import { DEFAULT_TURN_LIMITS, type TurnLimits, TurnLoop } from './data/turn-loop.ts'
import { ExecutionGraph } from './execution-graph.ts'
import { restorable } from './in-flight-records.ts'
import { jobConfigurationSnapshot, secretsHider } from './job-configuration-snapshot.ts'
import { JobEvents } from './job-events.ts'
import type { JobExecutionResult, JobHandle } from './job-handle.ts'
import { JobMaster } from './job-master.ts'
import { JobMeter } from './job-meter.ts'
import { endError } from './job-result.ts'
import { type JobSettings, readJobSettings } from './job-settings.ts'
import { KeyedStateBackends } from './keyed-state-backends.ts'
import { directLink, type Link } from './link.ts'
import { type OpenedStore, openStore, type StartFrom } from './open-store.ts'
import { fitToState } from './restore-assignment.ts'
import { TaskExecutor } from './task-executor.ts'

export type { StartFrom } from './open-store.ts'

export interface StartOptions {
  readonly ports: Ports
  readonly configuration: ConfigurationReader
  readonly jobName: string
  readonly start: StartFrom
  /** For tests: how the two sides talk, how long a turn lasts, who watches the charts. */
  readonly link?: Link | undefined
  readonly turnLimits?: TurnLimits | undefined
  readonly tap?: ChartTap | undefined
}

export type Started =
  | { readonly type: 'started'; readonly handle: JobHandle }
  /** `resume` found that the job had ended for good: nothing is run. */
  | { readonly type: 'alreadyEnded'; readonly jobId: string; readonly status: string; readonly message: string }

/**
 * Resolves when the job is ours and its record can be written; it then starts. Rejects with a StreamError when the
 * configuration asks for what is not there, the store cannot be used, or the state does not fit the graph.
 */
export async function startJob(graph: JobGraph, options: StartOptions): Promise<Started> {
  const settings = readJobSettings(options.configuration)
  const opened = await openStore(graph, settings, options)
  if (opened.type === 'alreadyEnded') {
    await closeBackends(new KeyedStateBackends(options.ports, settings.leveldb, 0), options)
    return opened
  }
  try {
    return { type: 'started', handle: runJob(graph, settings, opened, options) }
  } catch (thrown) {
    await opened.close()
    throw thrown
  }
}

function runJob(program: JobGraph, settings: JobSettings, opened: OpenedStore, options: StartOptions): JobHandle {
  const { ports, configuration, jobName, start, tap } = options
  const { store, jobId, epoch } = opened
  const graph =
    opened.metadata === undefined
      ? program
      : fitToState(program, restorable(opened.metadata, settings.dropInFlightOf), start.allowNonRestoredState ?? false)
  const changesRecord = settings.debugFreeze === true ? isChangeOfFrozen : undefined
  const kept = causes(changesRecord)
  const events = new JobEvents()
  const link = options.link ?? directLink()
  const turnLoop = new TurnLoop(ports.clock, ports.turns, options.turnLimits ?? DEFAULT_TURN_LIMITS)
  const end = ending<JobExecutionResult>()
  const keyedStateBackends = new KeyedStateBackends(ports, settings.leveldb, keyedSubtasksOf(graph))
  const meter = new JobMeter(ports.clock, events.counts)
  const statistics = new CheckpointStatistics(graph.vertices, settings.checkpointHistory)
  const executionGraph = new ExecutionGraph({
    jobId,
    jobName,
    graph,
    causes: kept,
    clock: ports.clock,
    configuration: jobConfigurationSnapshot(configuration, settings),
    mostFailures: configuration.get('web.exception-history-size'),
    hide: secretsHider(configuration),
  })

  const master = new JobMaster({
    ...opened,
    jobName,
    graph,
    settings,
    ports,
    link,
    causes: kept,
    tap,
    statistics,
    executionGraph,
    emit: (event) => {
      meter.see(event)
      executionGraph.see(event)
      events.emit(event)
    },
    counted: (name, added) => meter.count(name, added),
    ended: async (ended) => {
      executionGraph.ended(ended.status, ended.cause)
      turnLoop.stop()
      executor.end()
      await closeBackends(keyedStateBackends, options)
      // The record of the end is written: that its place could not be given back changes nothing for whoever waits.
      await opened
        .close()
        .catch((thrown: unknown) =>
          ports.logger.warn(`Job "${jobName}" could not give back its checkpoint directory: ${textOf(thrown)}`),
        )
      if (ended.notRecorded !== null)
        ports.logger.warn(
          `The end of job "${jobName}" could not be recorded: ${textOf(kept.thrown(ended.notRecorded))}`,
        )
      const error = endError(jobName, ended, kept, changesRecord)
      if (error === undefined) end.resolve({ jobId, netRuntimeMs: meter.netRuntimeMs() })
      else end.reject(error)
      events.end()
    },
  })
  const executor = new TaskExecutor(
    graph,
    {
      jobId,
      jobName,
      epoch,
      ports,
      settings,
      turnLoop,
      keyedStateBackends,
      snapshotWriter: store.snapshotWriter,
      snapshotReader: (location) => store.reader(location),
      discard: (handles) =>
        void store
          .removeHandles(handles)
          .catch((thrown) => ports.logger.warn(`Leftover state could not be removed: ${String(thrown)}`)),
      causes: kept,
      tap,
    },
    (fact) => link.toJob(fact),
  )
  meter.watch(() => executor.meters.current)
  link.connect({ obey: (order) => executor.obey(order), learn: (fact) => master.learn(fact) })
  opened.whenFenced((error) => master.fail(error, 'JOB_FENCED'))
  master.start()

  /** Whoever is told that the job has ended may start the next one. */
  const untilOver = async (ending: Promise<string>): Promise<string> => {
    try {
      return await ending
    } finally {
      if (master.hasEnded()) await end.over
    }
  }

  return {
    jobId,
    jobName,
    status: () => master.status(),
    triggerCheckpoint: (wish = {}) => master.triggerCheckpoint(wish),
    triggerSavepoint: (wish = {}) => master.triggerSavepoint(wish),
    stopWithSavepoint: (wish) => untilOver(master.stopWithSavepoint(wish)),
    cancelWithSavepoint: (wish = {}) => untilOver(master.cancelWithSavepoint(wish)),
    async suspend({ timeoutMs = 10_000 } = {}) {
      master.suspend(timeoutMs)
      await end.over
    },
    async cancel() {
      master.cancel()
      await end.over
    },
    result: end.result,
    subscribe: (listener) => events.subscribe(listener),
    metrics: () => meter.metrics(),
    checkpoints: () => statistics.snapshot(),
    executionGraph: () => executionGraph.snapshot(),
    measurements: () => executor.meters.measurements(),
  }
}

/** What stays is removed by the next job with state on disk there. */
async function closeBackends(backends: KeyedStateBackends, { ports, jobName }: StartOptions): Promise<void> {
  try {
    await backends.close()
  } catch (thrown) {
    ports.logger.warn(`Job "${jobName}" could not remove scratch folders: ${textOf(thrown)}`)
  }
}

/** How many keyed state backends there will be. */
function keyedSubtasksOf({ vertices }: JobGraph): number {
  return vertices.reduce(
    (count, { operators, parallelism }) => count + operators.filter(({ keyed }) => keyed).length * parallelism,
    0,
  )
}

/** A result that is no unhandled rejection when nobody asks for it. */
function ending<Result>() {
  let resolve: (result: Result) => void = () => {}
  let reject: (error: Error) => void = () => {}
  const result = new Promise<Result>((onTime, instead) => {
    resolve = onTime
    reject = instead
  })
  const over = result.then(
    () => {},
    () => {},
  )
  return { result, over, resolve, reject }
}
