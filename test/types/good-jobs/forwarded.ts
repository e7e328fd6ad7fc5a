/**
 * Options from elsewhere, each there or undefined, are forwarded as they are: under exactOptionalPropertyTypes that needs
 * `| undefined` in every optional property.
 */
import {
  type CheckpointedFunction,
  type Configuration,
  type CsvOptions,
  DataGeneratorSource,
  type Duration,
  defineSink,
  defineSource,
  FileSink,
  FileSource,
  type JobClient,
  type KeyedProcessFunction,
  type KeyedStream,
  ListStateDescriptor,
  type Logger,
  type MemorySize,
  RestartStrategies,
  type Serializer,
  type SingleOutputStreamOperator,
  type Source,
  type SourceReader,
  type SourceSplit,
  StreamExecutionEnvironment,
  type ValueState,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../../src/index.ts'
import { type HarnessSnapshot, KeyedOneInputHarness, type ManualClock } from '../../../src/testing/index.ts'
import { same } from './same.ts'

interface Order {
  readonly id: string
  readonly amount: number
}
declare const orders: SingleOutputStreamOperator<Order>
declare const keyed: KeyedStream<Order, string>

interface Given {
  readonly duration: Duration | undefined
  readonly count: number | undefined
  readonly flag: boolean | undefined
  readonly path: string | undefined
  readonly size: MemorySize | undefined
}

export function environments(configuration: Configuration | undefined, logger: Logger | undefined, of: Given): void {
  const env = StreamExecutionEnvironment.getExecutionEnvironment({ configuration, logger })
  env.configure({ 'execution.checkpointing.interval': of.duration, 'parallelism.default': of.count })
  env.setRestartStrategy(
    RestartStrategies.exponentialDelayRestart({ initialBackoff: of.duration, jitterFactor: of.count }),
  )
}

export async function executions(client: JobClient, signal: AbortSignal | undefined, of: Given): Promise<void> {
  const env = StreamExecutionEnvironment.getExecutionEnvironment()
  const start = { signal, fromSavepoint: of.path, allowNonRestoredState: of.flag, takeover: of.flag }
  await env.execute(of.path, { ...start, claimMode: undefined, resume: undefined })
  await orders.executeAndCollect(of.path, { ...start, limit: of.count })
  orders.print(of.path)
  await client.suspend({ timeoutMs: of.count })
  await client.triggerSavepoint(of.path)
  await client.stopWithSavepoint({ drain: true, targetDirectory: of.path })
}

export function sources(of: Given, columns: CsvOptions['columns']): void {
  const { duration: every, size: splitSize } = of
  const files = { monitorContinuously: every, closeAfter: every, splitSize, onInvalid: undefined }
  FileSource.forLines('in', files)
  FileSource.forJsonLines('in', { ...files, schema: undefined })
  FileSource.forCsv('in', {
    ...files,
    columns,
    header: of.flag,
    delimiter: of.path,
    multiline: of.flag,
    schema: undefined,
  })
  new DataGeneratorSource((index) => index, { count: of.count, ratePerSecond: of.count })
  const read = async function* (split: string) {
    yield { value: split, position: 1, timestamp: of.count }
  }
  defineSource({ boundedness: 'continuous-unbounded', splits: () => ['a'], start: () => 1, read, discoverEvery: every })
  defineSource({ boundedness: 'bounded', splits: () => ['a'], start: undefined, read, discoverEvery: undefined })
}

export function sinks(of: Given, close: ((rows: Order[]) => void) | undefined): void {
  const rolling = { maxPartSize: of.size, rolloverInterval: of.duration, inactivityInterval: of.duration }
  orders.sinkTo(FileSink.forJsonLines('out', { rolling, bucketAssigner: undefined, maxOpenFiles: of.count }))
  orders.sinkTo(FileSink.forCsv('out', { rolling, columns: undefined, header: undefined, delimiter: of.path }))
  orders.sinkTo(
    defineSink({
      open: (): Order[] => [],
      write: (rows, order: Order) => rows.push(order),
      prepare: (rows) => rows.length,
      commit: (rows, counts) => void [rows, counts],
      close,
    }),
  )
}

export function time(assigner: ((order: Order, before: number) => number) | undefined, of: Given): void {
  const options = { timestampAssigner: assigner, idleness: of.duration }
  orders
    .assignTimestampsAndWatermarks(WatermarkStrategy.noWatermarks(options))
    .assignTimestampsAndWatermarks(WatermarkStrategy.forMonotonousTimestamps(options))
    .assignTimestampsAndWatermarks(WatermarkStrategy.forBoundedOutOfOrderness(5, options))
    .assignTimestampsAndWatermarks(
      WatermarkStrategy.forGenerator<Order>(() => ({ onEvent() {}, onPeriodicEmit() {} }), options),
    )
}

type Members = KeyedProcessFunction<string, Order, number>

export function functions(onTimer: Members['onTimer'], open: Members['open'], also: CheckpointedFunction): void {
  const { initializeState, snapshotState } = also
  keyed.process<number>(() => ({
    processElement() {},
    onTimer,
    open,
    close: undefined,
    notifyCheckpointComplete: undefined,
    notifyCheckpointAborted: undefined,
    initializeState,
    snapshotState,
  }))
}

export function states(serializer: Serializer<number> | undefined, first: (() => number) | undefined, of: Given): void {
  const ttl = of.duration === undefined ? undefined : { ttl: of.duration, cleanupFullSnapshot: of.flag }
  new ListStateDescriptor<number>('list', { serializer, ttl })
  const descriptor = new ValueStateDescriptor('value', { serializer, ttl, default: first })
  keyed.process((context) => {
    const state = context.getState(descriptor)
    same<typeof state, ValueState<number>>(true)
    return { processElement: () => state.clear() }
  })
}

/** The optional members of what is written by hand. */
export function byHand(
  reader: SourceReader<Order, SourceSplit>,
  notify: ((checkpointId: number) => void) | undefined,
  source: Source<Order>,
  makeDurable: ((checkpointId: number) => Promise<void>) | undefined,
): void {
  const read: SourceReader<Order, SourceSplit> = { ...reader, notifyCheckpointComplete: notify }
  const other: Source<Order> = {
    ...source,
    createReader: () => read,
    splitSerializer: undefined,
    enumeratorSerializer: undefined,
  }
  console.log(other)
  orders.sinkTo({ createWriter: () => ({ write() {}, flush() {}, close() {}, makeDurable }) })
}

export function harnesses(clock: ManualClock | undefined, restoreFrom: HarnessSnapshot | undefined, of: Given): void {
  const options = { parallelism: of.count, maxParallelism: of.count, clock, restoreFrom }
  new KeyedOneInputHarness<Order, string>({
    create: () => ({ processElement() {} }),
    keyBy: ({ id }) => id,
    ...options,
  })
}
