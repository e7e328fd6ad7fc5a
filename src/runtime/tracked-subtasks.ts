/** What the subtasks of one checkpoint have told so far, by vertex, and the sums of it. */
import type { JobVertex } from '../graph/job-graph.ts'
import type { SubtaskCheckpointMetrics } from './checkpoint-metrics.ts'
import type { CheckpointTotals, TrackedSubtask, TrackedVertex } from './checkpoint-statistics-snapshot.ts'
import { StatsSummary } from './stats-summary.ts'

export interface SubtaskPlace {
  /** The place of its vertex in the job graph. */
  readonly vertex: number
  readonly subtask: number
}

type Acknowledged = Extract<TrackedSubtask, { status: 'COMPLETED' }>

/** What is summarised of the subtasks of a vertex. */
const SUMMARISED = [
  ...([
    'checkpointedBytes',
    'stateBytes',
    'endToEndMs',
    'syncMs',
    'asyncMs',
    'processedBytes',
    'persistedBytes',
  ] as const),
  ...(['alignmentMs', 'startDelayMs'] as const),
]

/** Of a subtask that had finished before. */
const NOTHING: SubtaskCheckpointMetrics = {
  ...{ startDelayMs: 0, alignmentMs: 0, unaligned: false, syncMs: 0, asyncMs: 0 },
  ...{ processedBytes: 0, persistedBytes: 0, checkpointedBytes: 0, stateBytes: 0 },
}

export class TrackedSubtasks {
  readonly #vertices: readonly JobVertex[]
  readonly #triggeredAtMs: number
  /** By vertex, then by subtask. */
  readonly #subtasks: readonly TrackedSubtask[][]

  constructor(vertices: readonly JobVertex[], triggeredAtMs: number) {
    this.#vertices = vertices
    this.#triggeredAtMs = triggeredAtMs
    this.#subtasks = vertices.map(({ parallelism }) =>
      Array.from({ length: parallelism }, (_, index) => ({ status: 'PENDING_OR_FAILED', index })),
    )
  }

  /** Without metrics: it had finished before. */
  acknowledged({ vertex, subtask }: SubtaskPlace, ackAtMs: number, metrics = NOTHING): void {
    const subtasks = this.#subtasks[vertex] as TrackedSubtask[]
    const endToEndMs = Math.max(0, ackAtMs - this.#triggeredAtMs)
    subtasks[subtask] = { status: 'COMPLETED', index: subtask, ackAtMs, endToEndMs, ...metrics }
  }

  totals(): CheckpointTotals {
    return totalsOf(this.#subtasks.flat())
  }

  isUnaligned(): boolean {
    return acknowledgedOf(this.#subtasks.flat()).some(({ unaligned }) => unaligned)
  }

  /** Of the subtask that took longest. */
  alignmentMs(): number {
    return Math.max(0, ...acknowledgedOf(this.#subtasks.flat()).map(({ alignmentMs }) => alignmentMs))
  }

  vertices(): readonly TrackedVertex[] {
    return this.#vertices.map(({ id, name }, vertex) => {
      const subtasks = [...(this.#subtasks[vertex] as TrackedSubtask[])]
      return { id, name, ...totalsOf(subtasks), summary: summaryOf(subtasks), subtasks }
    })
  }
}

function totalsOf(subtasks: readonly TrackedSubtask[]): CheckpointTotals {
  const acknowledged = acknowledgedOf(subtasks)
  const sum = (of: (one: Acknowledged) => number) => acknowledged.reduce((total, one) => total + of(one), 0)
  const latest = (of: (one: Acknowledged) => number) =>
    acknowledged.length === 0 ? null : Math.max(...acknowledged.map(of))
  return {
    latestAckAtMs: latest(({ ackAtMs }) => ackAtMs),
    endToEndMs: latest(({ endToEndMs }) => endToEndMs),
    checkpointedBytes: sum(({ checkpointedBytes }) => checkpointedBytes),
    stateBytes: sum(({ stateBytes }) => stateBytes),
    processedBytes: sum(({ processedBytes }) => processedBytes),
    persistedBytes: sum(({ persistedBytes }) => persistedBytes),
    numSubtasks: subtasks.length,
    numAcknowledgedSubtasks: acknowledged.length,
  }
}

function summaryOf(subtasks: readonly TrackedSubtask[]): TrackedVertex['summary'] {
  const summaries = SUMMARISED.map((name) => {
    const summary = new StatsSummary()
    for (const one of acknowledgedOf(subtasks)) summary.add(one[name])
    return [name, summary.snapshot()]
  })
  return Object.fromEntries(summaries)
}

function acknowledgedOf(subtasks: readonly TrackedSubtask[]): readonly Acknowledged[] {
  return subtasks.filter((one) => one.status === 'COMPLETED')
}
