/** The metrics of one subtask and of the operators in it, with Flink's names, made of its numbers and of what they grew by. */
import type { TaskMeasurements } from '../runtime/job-handle.ts'
import type { OperatorMeasurements } from '../runtime/task-measurements.ts'
import { fraction, type Metric } from './metric.ts'

const COUNTERS = ['numRecordsIn', 'numRecordsOut', 'numBytesIn', 'numBytesOut', 'numFiredTimers'] as const
const NANOSECONDS_PER_MS = 1e6

/** What rates are made of, always in the same places: the task's counters, then two of each operator. */
export function countersOf(task: TaskMeasurements): readonly number[] {
  return [
    ...COUNTERS.map((name) => task[name]),
    ...task.operators.flatMap(({ numRecordsIn, numRecordsOut }) => [numRecordsIn ?? 0, numRecordsOut ?? 0]),
  ]
}

export function timesOf({ busyMs, idleMs, backPressuredMs }: TaskMeasurements): readonly number[] {
  return [busyMs, idleMs, backPressuredMs]
}

/** Per second, in the places of `countersOf` and `timesOf`. */
export interface TaskRates {
  readonly counters: readonly number[]
  readonly times: readonly number[]
}

export function taskMetrics(task: TaskMeasurements, isSource: boolean, rates: TaskRates): readonly Metric[] {
  return [
    ...COUNTERS.flatMap((name, place) => [
      { name, value: Math.round(task[name]) },
      fraction(`${name}PerSecond`, rates.counters[place] ?? 0),
    ]),
    ...shuffleMetrics(task, rates),
    ...timeMetrics(task, rates),
    ...(isSource ? [] : inputMetrics(task)),
    { name: 'checkpointStartDelayNanos', value: nanoseconds(task.checkpointStartDelayMs) },
    { name: 'initializationTime', value: Math.round(task.initializationMs ?? 0) },
    { name: 'isBackPressured', value: task.isBackPressured },
    // Ours: steps that kept the event loop, and with it every other task, for longer than `execution.blocked-loop-warning`.
    { name: 'blockedTimeMs', value: Math.round(task.blockedMs) },
    { name: 'maxBlockedTimeMs', value: Math.round(task.maxBlockedMs) },
  ]
}

/** Every channel is inside of the process. Queues are filled with records where Flink's are filled with buffers. */
function shuffleMetrics(task: TaskMeasurements, rates: TaskRates): readonly Metric[] {
  const inUsage = share(task.inputQueueLength, task.inputQueueCapacity)
  const outUsage = share(task.outputQueueLength, task.outputQueueCapacity)
  const bytesIn = task.numRecordsIn === 0 ? 0 : task.numBytesIn / task.numRecordsIn
  const bytesOut = task.numRecordsOut === 0 ? 0 : task.numBytesOut / task.numRecordsOut
  const read = [
    { name: 'numBytesInLocal', value: Math.round(task.numBytesIn) },
    fraction('numBytesInLocalPerSecond', rates.counters[COUNTERS.indexOf('numBytesIn')] ?? 0),
    { name: 'numBytesInRemote', value: 0 },
    fraction('numBytesInRemotePerSecond', 0),
  ]
  const queues = [
    { name: 'Input.Buffers.inputQueueLength', value: task.inputQueueLength },
    { name: 'Input.Buffers.inputQueueSize', value: Math.round(bytesIn * task.inputQueueLength) },
    fraction('Input.Buffers.inPoolUsage', inUsage),
    { name: 'Output.Buffers.outputQueueLength', value: task.outputQueueLength },
    { name: 'Output.Buffers.outputQueueSize', value: Math.round(bytesOut * task.outputQueueLength) },
    fraction('Output.Buffers.outPoolUsage', outUsage),
  ]
  return [
    ...read,
    ...read.map((metric) => ({ ...metric, name: `Shuffle.Netty.Input.${metric.name}` })),
    ...queues.map((metric) => ({ ...metric, name: `Shuffle.Netty.${metric.name}` })),
    // Older names, which dashboards still ask for.
    { name: 'buffers.inputQueueLength', value: task.inputQueueLength },
    fraction('buffers.inPoolUsage', inUsage),
    { name: 'buffers.outputQueueLength', value: task.outputQueueLength },
    fraction('buffers.outPoolUsage', outUsage),
  ]
}

/** A subtask that is over has no time that passes. */
function timeMetrics(task: TaskMeasurements, rates: TaskRates): readonly Metric[] {
  const [busy = 0, idle = 0, backPressured = 0] = rates.times
  const perSecond = [
    fraction('busyTimeMsPerSecond', busy),
    { name: 'idleTimeMsPerSecond', value: Math.round(idle) },
    { name: 'backPressuredTimeMsPerSecond', value: Math.round(backPressured) },
  ]
  return [
    ...(task.isOver ? [] : perSecond),
    // Who waits for credit lets go of the thread, and can be cancelled and asked for a checkpoint meanwhile.
    { name: 'softBackPressuredTimeMsPerSecond', value: task.isOver ? 0 : Math.round(backPressured) },
    { name: 'hardBackPressuredTimeMsPerSecond', value: 0 },
    { name: 'accumulateBusyTimeMs', value: Math.round(task.busyMs) },
    { name: 'accumulateIdleTimeMs', value: Math.round(task.idleMs) },
    { name: 'accumulateBackPressuredTimeMs', value: Math.round(task.backPressuredMs) },
  ]
}

function inputMetrics(task: TaskMeasurements): readonly Metric[] {
  return [
    { name: 'currentInputWatermark', value: task.currentInputWatermark },
    { name: 'checkpointAlignmentTime', value: nanoseconds(task.checkpointAlignmentMs) },
  ]
}

/** `place`: of the operator in its task. The first one reads the task's bytes and the last one writes them. */
export function operatorMetrics(
  task: TaskMeasurements,
  operator: OperatorMeasurements,
  place: number,
  isSource: boolean,
  rates: TaskRates,
): readonly Metric[] {
  const at = COUNTERS.length + 2 * place
  const bytes = (name: 'numBytesIn' | 'numBytesOut') => [
    { name, value: Math.round(task[name]) },
    fraction(`${name}PerSecond`, rates.counters[COUNTERS.indexOf(name)] ?? 0),
  ]
  const own = [
    ...counted('numRecordsIn', operator.numRecordsIn, rates.counters[at]),
    ...counted('numRecordsOut', operator.numRecordsOut, rates.counters[at + 1]),
    ...(place === 0 ? bytes('numBytesIn') : []),
    ...(place === task.operators.length - 1 ? bytes('numBytesOut') : []),
    ...(isSource && place === 0 ? [] : inputWatermarks(operator.currentInputWatermarks)),
    { name: 'currentOutputWatermark', value: operator.currentOutputWatermark },
    ...stateCacheMetrics(operator.stateCache),
  ]
  const taken = new Set(own.map(({ name }) => name))
  const counts = Object.entries(operator.counts).filter(([name]) => !taken.has(name))
  return [...own, ...counts.map(([name, value]) => ({ name, value }))]
}

function counted(name: string, count: number | null, perSecond = 0): readonly Metric[] {
  return count === null ? [] : [{ name, value: count }, fraction(`${name}PerSecond`, perSecond)]
}

/** The operator's own is the lowest; two inputs have names of their own beside it. */
function inputWatermarks(watermarks: readonly number[]): readonly Metric[] {
  if (watermarks.length === 0) return []
  const each = watermarks.map((value, input) => ({ name: `currentInput${input + 1}Watermark`, value }))
  return [{ name: 'currentInputWatermark', value: Math.min(...watermarks) }, ...(each.length > 1 ? each : [])]
}

/** Named as Flink names what it knows of RocksDB’s cache. */
function stateCacheMetrics(cache: OperatorMeasurements['stateCache']): readonly Metric[] {
  if (cache === null) return []
  return [
    { name: 'leveldb.cache-hit', value: cache.hits },
    { name: 'leveldb.cache-miss', value: cache.misses },
    { name: 'leveldb.cache-usage', value: Math.round(cache.bytes) },
  ]
}

function share(length: number, capacity: number): number {
  return capacity === 0 ? 0 : Math.min(1, length / capacity)
}

function nanoseconds(ms: number | null): number {
  return Math.round((ms ?? 0) * NANOSECONDS_PER_MS)
}
