/**
 * The door `millrace/testing`: harnesses for functions, a mini cluster for jobs, faults, a kit for operators, and replay
 * functions for recorded traces. Named exports only.
 *
 * @module millrace/testing
 */
export { VirtualClock as ManualClock } from '../base/virtual-clock.ts'
// Harnesses
export {
  BroadcastHarness,
  type BroadcastHarnessOptions,
  KeyedBroadcastHarness,
  type KeyedBroadcastHarnessOptions,
} from './broadcast-harness.ts'
// Whole jobs
export type { ClusterFiles } from './cluster-files.ts'
// Faults
export {
  crashAt,
  crashAtRandom,
  type DiskFault,
  failingDisk,
  fullDisk,
  type Operations,
  slowDisk,
} from './disk-faults.ts'
export type { Harness, HarnessOptions } from './harness.ts'
export type { HarnessSnapshot, SubtaskSnapshot } from './harness-snapshot.ts'
export {
  type FaultOptions,
  failingFunction,
  failingSink,
  failingSource,
  type SinkFaultOptions,
} from './injected-faults.ts'
export { MiniCluster, type MiniClusterOptions } from './mini-cluster.ts'
export {
  KeyedOneInputHarness,
  type KeyedOneInputHarnessOptions,
  OneInputHarness,
  type OneInputHarnessOptions,
} from './one-input-harness.ts'
export type { EmittedRecord } from './parallel-operator.ts'
// Recorded traces
export { type BarrierTrace, replayBarriers } from './replay-barriers.ts'
export { type CoordinatorTrace, replayCoordinator } from './replay-coordinator.ts'
export { replayRedistribution } from './replay-redistribution.ts'
export { type RegionTrace, replayRegions } from './replay-regions.ts'
export { replayRestarts } from './replay-restarts.ts'
export { replayTimers } from './replay-timers.ts'
export { replayTtl, type TtlTrace } from './replay-ttl.ts'
export { replayTwoPhaseCommit } from './replay-two-phase-commit.ts'
export { replayWatermarks, type WatermarkTrace } from './replay-watermarks.ts'
export { stateBackendSuite } from './state-backend-suite.ts'
export {
  KeyedTwoInputHarness,
  type KeyedTwoInputHarnessOptions,
  TwoInputHarness,
  type TwoInputHarnessOptions,
} from './two-input-harness.ts'
// Every way in which an operator may be run
export type { AdvanceItem, BroadcastItem, Item, OneInputItem, TwoInputItem } from './verify-items.ts'
export { type OperatorVerification, type Verification, type Verified, verifyOperator } from './verify-operator.ts'
