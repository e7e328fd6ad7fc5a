/** The public door of the library: named exports only. Importing it does nothing. */
/// <reference types="node" preserve="true" />

export type { CheckpointConfig, ExternalizedCheckpointRetention } from './api/checkpoint-config.ts'
export { CheckpointingMode } from './api/checkpointing-mode.ts'
// Streams
export type { DataStream } from './api/data-stream.ts'
export type { DataStreamSink } from './api/data-stream-sink.ts'
export type { ExecuteOptions } from './api/execute-options.ts'
// Functions
export { type CheckpointedFunction, KeyedProcessFunction, ProcessFunction } from './api/functions.ts'
export type { JobClient, StopWithSavepointOptions } from './api/job-client.ts'
export type { ElementOf, FunctionReturnedPromise, KeyOf } from './api/key-of.ts'
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
export { defineSink } from './connectors/define-sink/define-sink.ts'
export { defineSource, type SourceRecord } from './connectors/define-source/define-source.ts'
export { DiscardingSink } from './connectors/discarding/discarding-sink.ts'
export { FileSink } from './connectors/file-sink/file-sink.ts'
export { FileSource } from './connectors/file-source/file-source.ts'
export { PrintSink } from './connectors/print/print-sink.ts'
// State
export type { Serializer } from './elements/serializer.ts'
export {
  type Collector,
  type Context,
  type FunctionInitializationContext,
  type FunctionSnapshotContext,
  type KeyedContext,
  type OnTimerContext,
  type OperatorStates,
  OutputTag,
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
export type { JobEvent, JobExecutionResult, JobStatus, TaskStatus } from './runtime/job-handle.ts'
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
  type StateTtlConfig,
  type ValueState,
  ValueStateDescriptor,
} from './state/descriptors.ts'
