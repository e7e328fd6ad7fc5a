/**
 * The public door of the library: named exports only. Importing it does nothing.
 *
 * @module millrace
 */
/// <reference types="node" preserve="true" />

export type { BroadcastConnectedStream } from './api/broadcast-connected-stream.ts'
export type { BroadcastStream } from './api/broadcast-stream.ts'
export type { CheckpointConfig, ExternalizedCheckpointRetention } from './api/checkpoint-config.ts'
export { CheckpointingMode } from './api/checkpointing-mode.ts'
export type { CollectedResults, CollectOptions } from './api/collected-results.ts'
// Streams
export type { ConnectedStreams } from './api/connected-streams.ts'
export type { DataStream } from './api/data-stream.ts'
export type { DataStreamSink } from './api/data-stream-sink.ts'
export { type DisposedSavepoint, disposeSavepoint } from './api/dispose-savepoint.ts'
export type { ExecuteOptions } from './api/execute-options.ts'
// Functions
export {
  BroadcastProcessFunction,
  type CheckpointedFunction,
  CoProcessFunction,
  KeyedBroadcastProcessFunction,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  ProcessFunction,
} from './api/functions.ts'
export type { JobClient, SavepointFormat, StopWithSavepointOptions } from './api/job-client.ts'
export type { ElementOf, FunctionReturnedPromise, KeyOf } from './api/key-of.ts'
export type { KeyedBroadcastConnectedStream } from './api/keyed-broadcast-connected-stream.ts'
export type { KeyedConnectedStreams } from './api/keyed-connected-streams.ts'
export type { KeyedStream } from './api/keyed-stream.ts'
export {
  type ExponentialDelayOptions,
  RestartStrategies,
  type RestartStrategyConfiguration,
} from './api/restart-strategies.ts'
export type { SingleOutputStreamOperator } from './api/single-output-stream-operator.ts'
// A job
export {
  type EnvironmentOptions,
  StreamExecutionEnvironment,
} from './api/stream-execution-environment.ts'
export { type Duration, Time, TimeUnit } from './base/config/duration.ts'
export type { MemorySize } from './base/config/memory-size.ts'
export type { Configuration } from './base/config/options.ts'
export type { ErrorCode } from './base/error-codes.ts'
export { StreamError } from './base/errors.ts'
export type { Logger } from './base/logger.ts'
// Sources and sinks
export { CollectSink } from './connectors/collect/collect-sink.ts'
export { type DataGeneratorOptions, DataGeneratorSource } from './connectors/data-generator/data-generator-source.ts'
export { type DefineSinkOptions, defineSink } from './connectors/define-sink/define-sink.ts'
export { defineSource, type SourceRecord } from './connectors/define-source/define-source.ts'
export { DiscardingSink } from './connectors/discarding/discarding-sink.ts'
export { FileSink } from './connectors/file-sink/file-sink.ts'
export type { CsvFileSinkOptions, FileSinkOptions } from './connectors/file-sink/file-sink-options.ts'
export type { RollingOptions } from './connectors/file-sink/rolling-policy.ts'
export { FileSource } from './connectors/file-source/file-source.ts'
export type {
  CsvOptions,
  FileSourceOptions,
  InputPaths,
  JsonLinesOptions,
} from './connectors/file-source/file-source-options.ts'
export type { InvalidRecord } from './connectors/file-source/invalid-records.ts'
export type { RecordSchema, StandardSchema } from './connectors/file-source/record-schema.ts'
export { PrintSink } from './connectors/print/print-sink.ts'
// State
export type { Serializer } from './elements/serializer.ts'
export {
  type BroadcastContext,
  type Clocks,
  type Collector,
  type Context,
  type FunctionInitializationContext,
  type FunctionSnapshotContext,
  type KeyedBroadcastContext,
  type KeyedContext,
  type KeyedReadOnlyContext,
  type OnTimerContext,
  type OperatorStates,
  OutputTag,
  type ReadOnlyContext,
  type ReadOnlyOnTimerContext,
  type RichFunction,
  type RuntimeContext,
  type TimerService,
} from './operators/functions.ts'
export {
  END_OF_INPUT,
  MORE_AVAILABLE,
  NOTHING_AVAILABLE,
  type SourceStatus,
} from './operators/operator.ts'
export type {
  CommitRequest,
  Committer,
  CommitterContext,
  CommittingSinkWriter,
  Sink,
  SinkEnvironment,
  SinkWriter,
  StatefulSink,
  StatefulSinkWriter,
  TwoPhaseCommittingSink,
  WriteContext,
  WriterContext,
} from './operators/sink.ts'
export type {
  Boundedness,
  ReaderOutput,
  Source,
  SourceEnvironment,
  SourceReader,
  SourceReaderContext,
  SourceSplit,
  SplitEnumerator,
  SplitEnumeratorContext,
} from './operators/source.ts'
export {
  type TimestampAssigner,
  type WatermarkGenerator,
  type WatermarkOutput,
  WatermarkStrategy,
  type WatermarkStrategyOptions,
} from './operators/watermark-strategy.ts'
export type { SubtaskCheckpointMetrics } from './runtime/checkpoint-metrics.ts'
export type {
  CheckpointStatisticsSnapshot,
  RestoredCheckpoint,
  TrackedCheckpoint,
  TrackedSubtask,
  TrackedVertex,
} from './runtime/checkpoint-statistics-snapshot.ts'
export type { CheckpointOptions, JobEvent, JobExecutionResult, JobStatus, TaskStatus } from './runtime/job-handle.ts'
export type { StatsSummarySnapshot } from './runtime/stats-summary.ts'
export type { BroadcastState, ReadOnlyBroadcastState } from './state/broadcast-state.ts'
export {
  type AggregateFunction,
  type AggregatingState,
  AggregatingStateDescriptor,
  type ListState,
  ListStateDescriptor,
  type MapState,
  MapStateDescriptor,
  type ReducingState,
  ReducingStateDescriptor,
  type StateOptions,
  type ValueState,
  ValueStateDescriptor,
} from './state/descriptors.ts'
export type { StateTtl, StateTtlConfig } from './state/state-ttl.ts'
