/** What tasks read, wrote and spent their time with, under the names of Flink's answers. */
import type { TaskMeasurements } from '../runtime/job-handle.ts'

export interface IoMetrics {
  readonly 'read-bytes': number
  readonly 'write-bytes': number
  readonly 'read-records': number
  readonly 'write-records': number
  readonly 'accumulated-backpressured-time': number
  readonly 'accumulated-idle-time': number
  readonly 'accumulated-busy-time': number
}

export function ioMetricsOf(measured: TaskMeasurements | undefined): IoMetrics {
  return {
    'read-bytes': Math.round(measured?.numBytesIn ?? 0),
    'write-bytes': Math.round(measured?.numBytesOut ?? 0),
    'read-records': measured?.numRecordsIn ?? 0,
    'write-records': measured?.numRecordsOut ?? 0,
    'accumulated-backpressured-time': Math.round(measured?.backPressuredMs ?? 0),
    'accumulated-idle-time': Math.round(measured?.idleMs ?? 0),
    'accumulated-busy-time': Math.round(measured?.busyMs ?? 0),
  }
}

/** The sums, and whether each task has told its share. */
export function ioTotals(measured: readonly (TaskMeasurements | undefined)[]): Readonly<Record<string, unknown>> {
  const all = measured.map(ioMetricsOf)
  const sum = (name: keyof IoMetrics) => all.reduce((total, one) => total + one[name], 0)
  const complete = measured.every((one) => one !== undefined)
  return {
    'read-bytes': sum('read-bytes'),
    'read-bytes-complete': complete,
    'write-bytes': sum('write-bytes'),
    'write-bytes-complete': complete,
    'read-records': sum('read-records'),
    'read-records-complete': complete,
    'write-records': sum('write-records'),
    'write-records-complete': complete,
    'accumulated-backpressured-time': sum('accumulated-backpressured-time'),
    'accumulated-idle-time': sum('accumulated-idle-time'),
    'accumulated-busy-time': sum('accumulated-busy-time'),
  }
}
