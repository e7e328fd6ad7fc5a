/**
 * Measures one subtask in one attempt: reads, when somebody asks, what stands in its gate, its channels and its operators.
 * At the end of the attempt it keeps the last figures and lets go of chain, channels and states.
 */
import type { OperatorCounters } from '../operators/operator.ts'
import { BlockedLoop } from './blocked-loop.ts'
import { sumOver } from './data/record-counts.ts'
import type { SubtaskGate } from './data/subtask-gate.ts'
import type { EdgeSizes } from './edge-sizes.ts'
import type { Connections } from './exchange.ts'
import type { TaskStatus } from './job-handle.ts'
import type { MeteredTask } from './job-meter.ts'
import { inputWatermark, type MeasuredChain, operatorMeasurements } from './operator-measurements.ts'
import type { SubtaskCheckpoints } from './subtask-checkpoints.ts'
import type { StreamTaskOptions } from './task-environment.ts'
import { NO_FLOW, TaskFlow } from './task-flow.ts'
import type { TaskMeasurements } from './task-measurements.ts'

/** What there is of the task now; what is undefined has not been made. */
export interface MeteredParts extends Omit<MeasuredChain, 'flow'> {
  readonly gate: SubtaskGate
  readonly checkpoints: SubtaskCheckpoints
  readonly connections: Connections | undefined
}

type Times = Pick<TaskMeasurements, 'busyMs' | 'backPressuredMs' | 'idleMs'>

export class TaskMeter implements MeteredTask {
  readonly #options: StreamTaskOptions
  readonly #sizes: EdgeSizes
  readonly #blocked: BlockedLoop
  /** Undefined when the attempt is over. */
  #parts: (() => MeteredParts) | undefined
  #flow: TaskFlow | undefined
  #initializingAtMs: number | undefined
  /** Where the times stood when it was RUNNING. */
  #running: { readonly atMs: number; readonly busyMs: number; readonly backPressuredMs: number } | undefined
  /** Kept when it is over. */
  #last: { readonly measurements: TaskMeasurements; readonly metered: MeteredTask } | undefined

  constructor(options: StreamTaskOptions, sizes: EdgeSizes, parts: () => MeteredParts) {
    const { environment, name, vertex } = options
    this.#options = options
    this.#sizes = sizes
    this.#parts = parts
    this.#blocked = new BlockedLoop({
      task: name,
      names: vertex.operators.map((operator) => operator.name),
      thresholdMs: environment.settings.blockedLoopWarningMs ?? 0,
      clock: environment.ports.clock,
      logger: environment.ports.logger,
      operators: () => this.#parts?.().chain?.operators,
    })
  }

  /** Told before anybody else is. */
  entered(state: TaskStatus): void {
    if (state === 'INITIALIZING') this.#initializingAtMs = this.#nowMs()
    else if (state === 'RUNNING') this.#entersRunning()
    else if (state === 'FINISHED' || state === 'CANCELED' || state === 'FAILED') this.end()
  }

  /** Behind each step of the subtask that did something. */
  stepped(gate: SubtaskGate, startMs: number, endMs: number): void {
    gate.times.stepped(startMs, endMs)
    this.#blocked.stepped(startMs, endMs)
  }

  /** The figures stay as they are now. Harmless when repeated. */
  end(): void {
    if (this.#parts === undefined) return
    this.#blocked.stop()
    const { recordsIn, recordsOut, backPressuredMs } = this
    const measurements = this.#measure(this.#parts(), true)
    this.#last = { measurements, metered: { recordsIn, recordsOut, backPressuredMs } }
    this.#parts = undefined
    this.#flow = undefined
  }

  measurements(): TaskMeasurements {
    return this.#last?.measurements ?? this.#measure((this.#parts as () => MeteredParts)(), false)
  }

  /** Records that the source has emitted, or the sinks have taken, since the start of the attempt. */
  get recordsIn(): number {
    if (this.#last !== undefined) return this.#last.metered.recordsIn
    return this.#options.vertex.source === undefined ? 0 : (this.#counters()[0]?.recordsOut ?? 0)
  }

  get recordsOut(): number {
    if (this.#last !== undefined) return this.#last.metered.recordsOut
    return sumOver(this.#counters(), ({ recordsIn }) => recordsIn)
  }

  get backPressuredMs(): number {
    return this.#last?.metered.backPressuredMs ?? this.#parts?.().gate.backPressuredMs ?? 0
  }

  #counters(): readonly OperatorCounters[] {
    return this.#parts?.().runtimes.map(({ counters }) => counters) ?? []
  }

  #entersRunning(): void {
    // The job may have ended without it.
    if (this.#parts === undefined) return
    const { gate } = this.#parts()
    const atMs = this.#nowMs()
    this.#running = { atMs, busyMs: gate.times.busyMs(atMs), backPressuredMs: gate.times.outputFullMs(atMs) }
  }

  #measure(parts: MeteredParts, isOver: boolean): TaskMeasurements {
    const { vertexIndex, subtask, attempt, vertex } = this.#options
    const { runtimes, checkpoints, gate, connections } = parts
    if (connections !== undefined) this.#flow ??= new TaskFlow(this.#options, connections)
    const flow = this.#flow
    const operators = operatorMeasurements(vertex.operators, { ...parts, flow })
    return {
      vertex: vertexIndex,
      subtask,
      executionAttempt: attempt,
      isOver,
      ...(flow?.measure(this.#sizes, parts.subtask?.restoredProcessed ?? 0) ?? NO_FLOW),
      ...this.#times(gate),
      isBackPressured: !isOver && gate.isBackPressured,
      initializationMs: this.#initializationMs(),
      currentInputWatermark: inputWatermark(operators[0]),
      checkpointAlignmentMs: checkpoints.lastAlignment?.alignmentMs ?? null,
      checkpointStartDelayMs: checkpoints.lastAlignment?.startDelayMs ?? null,
      numFiredTimers: sumOver(runtimes, ({ numFiredTimers }) => numFiredTimers),
      blockedMs: this.#blocked.blockedMs,
      maxBlockedMs: this.#blocked.maxBlockedMs,
      operators,
    }
  }

  #times({ times }: SubtaskGate): Times {
    if (this.#running === undefined) return { busyMs: 0, backPressuredMs: 0, idleMs: 0 }
    const nowMs = this.#nowMs()
    const busyMs = times.busyMs(nowMs) - this.#running.busyMs
    const backPressuredMs = times.outputFullMs(nowMs) - this.#running.backPressuredMs
    return { busyMs, backPressuredMs, idleMs: Math.max(0, nowMs - this.#running.atMs - busyMs - backPressuredMs) }
  }

  #initializationMs(): number | null {
    if (this.#running === undefined || this.#initializingAtMs === undefined) return null
    return this.#running.atMs - this.#initializingAtMs
  }

  #nowMs(): number {
    return this.#options.environment.ports.clock.monotonic()
  }
}
