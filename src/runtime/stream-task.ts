/**
 * One subtask in one attempt: joins its charts (task, operators, alignment, checkpoints) with its chain and its record
 * loop. Each order of a chart becomes one call here; nothing is decided here.
 */
import { StreamError } from '../base/errors.ts'
import { type CheckpointBarrier, MAX_WATERMARK } from '../elements/stream-element.ts'
import type { ChainedOperator } from '../graph/job-graph.ts'
import type { Input, Operator, SourceOperator } from '../operators/operator.ts'
import { Blame } from './blame.ts'
import type { Cause } from './control/causes.ts'
import { hostTask, type Task } from './control/task.ts'
import { textOf } from './control/text-of.ts'
import { inOrder, type OperatorChain } from './data/operator-chain.ts'
import type { RestoredRecords } from './data/restored-input.ts'
import { endOfData, endPartitions } from './data/stream-ends.ts'
import { type InputEnd, type Permission, Subtask } from './data/subtask.ts'
import { SubtaskGate } from './data/subtask-gate.ts'
import type { EdgeSizes } from './edge-sizes.ts'
import type { Connections } from './exchange.ts'
import { Notifications } from './notifications.ts'
import { OperatorLives } from './operator-lives.ts'
import type { OperatorHooks, OperatorRuntime } from './operator-runtime.ts'
import type { SourceEvent } from './source-coordinator.ts'
import { SubtaskAlignment } from './subtask-alignment.ts'
import { SubtaskCheckpoints } from './subtask-checkpoints.ts'
import { hadFinished, SubtaskRestore } from './subtask-restore.ts'
import type { StreamTaskOptions, TaskEnvironment } from './task-environment.ts'
import { TaskMeter } from './task-meter.ts'

export class StreamTask {
  readonly options: StreamTaskOptions
  readonly gate: SubtaskGate
  readonly meter: TaskMeter
  readonly #environment: TaskEnvironment
  readonly #host: Task
  readonly #permission: Permission = { running: false, restoring: false, standstill: false, held: [] }
  readonly #checkpoints: SubtaskCheckpoints
  /** Aborted when the task is on its way out. */
  readonly #leaving = new AbortController()
  #connections: Connections | undefined
  #restoring: Promise<unknown> | undefined
  #runtimes: readonly OperatorRuntime[] = []
  #lives: OperatorLives | undefined
  #chain: OperatorChain | undefined
  #subtask: Subtask | undefined
  #alignment: SubtaskAlignment | undefined
  /** What was in flight to it. */
  #restored: RestoredRecords[] = []
  #restoredConsumed = () => {}
  #outputDrained = () => {}
  readonly #notifications = new Notifications((thrown) => this.fail(thrown))
  readonly #blame = new Blame()

  /** `sizes`: what all tasks of the job know of their records. */
  constructor(options: StreamTaskOptions, sizes: EdgeSizes) {
    const { environment, task, attempt } = options
    this.options = options
    this.#environment = environment
    this.gate = new SubtaskGate({
      wake: () => environment.turnLoop.wake(),
      failed: (cause) => this.fail(cause),
      monotonicMs: () => environment.ports.clock.monotonic(),
      dataConsumed: () => {
        if (this.#outputIsConsumed()) this.#outputDrained()
      },
    })
    const { settings } = environment
    this.#checkpoints = new SubtaskCheckpoints({
      ...options,
      path: this.#path,
      blame: this.#blame,
      causeOf: (thrown) => this.#causeOf(thrown),
      broken: (cause) => this.#broken(cause),
    })
    this.meter = new TaskMeter(options, sizes, () => ({
      gate: this.gate,
      checkpoints: this.#checkpoints,
      connections: this.#connections,
      runtimes: this.#runtimes,
      chain: this.#chain,
      subtask: this.#subtask,
    }))
    this.#host = hostTask({
      id: `${this.#path}/task`,
      task,
      attempt,
      finalCheckpoint: settings.checkpointing && settings.checkpointsAfterTasksFinish,
      cancellationTimeoutMs: settings.cancellationTimeoutMs,
      clock: environment.ports.clock,
      causeOf: (thrown) => this.#causeOf(thrown),
      tap: environment.tap,
      failed: (cause) => void this.#endBroken(cause),
      reportState: ({ state, cause }) => {
        this.meter.entered(state)
        options.tell({ type: 'task.changed', task, attempt, state, cause })
      },
      deploy: () => {},
      restoreState: () => {
        const restoring = this.#restore()
        this.#restoring = restoring
        return restoring
      },
      openOperators: () => this.#open(),
      commitRestored: () => {},
      processInFlight: () => this.#processInFlight(),
      run: () => this.#run(),
      finishOperators: (end) => this.#finish(end),
      drainOutput: () => this.#drainOutput(),
      awaitFinalCheckpoint: () => options.tell({ type: 'finalCheckpoint.awaited', task, attempt }),
      endPartitions: ({ withEndOfData }) => this.#endPartitions(withEndOfData),
      closeOperators: () => this.#close(),
      disposeOperators: () => this.#dispose(),
    })
  }

  /** After all tasks of the attempt exist. */
  start(connections: Connections): void {
    this.#connections = connections
    this.#host.start()
    this.#host.send({ type: 'task.scheduled' })
    this.#host.send({ type: 'deployment.started' })
  }

  cancel(): void {
    this.#host.send({ type: 'cancel.requested' })
  }

  fail(thrown: unknown): void {
    this.#host.fail(thrown)
  }

  /** `drain` belongs to the savepoint that ends the job. */
  triggerCheckpoint(barrier: CheckpointBarrier, drain: boolean): void {
    const subtask = this.#subtask
    if (barrier.kind !== 'synchronousSavepoint') return subtask?.mail(() => this.#alignment?.trigger(barrier))
    subtask?.mail(() => {
      subtask.stopSource({ drained: drain, savepoint: barrier.checkpointId })
      // Behind the end of the data, however long its operators take for that.
      subtask.mail(() => this.#alignment?.trigger(barrier))
    })
  }

  notifyCheckpointComplete(checkpointId: number): void {
    for (const { keyedState } of this.#runtimes) keyedState?.checkpointCompleted(checkpointId)
    this.#notifications.tell(
      () => inOrder(this.#operatorObjects().map((operator) => () => operator.notifyCheckpointComplete?.(checkpointId))),
      () => this.#host.send({ type: 'checkpoint.committed', checkpointId }),
    )
  }

  notifyCheckpointAborted(checkpointId: number): void {
    this.#checkpoints.abort(checkpointId)
    for (const { keyedState } of this.#runtimes) keyedState?.checkpointAborted(checkpointId)
    this.#alignment?.send({ type: 'checkpoint.aborted', checkpointId })
    this.#notifications.tell(
      () => inOrder(this.#operatorObjects().map((operator) => () => operator.notifyCheckpointAborted?.(checkpointId))),
      () => {},
    )
  }

  takeSourceEvent(event: SourceEvent): void {
    this.#subtask?.mail(() => this.#giveToSource(event))
  }

  get #path(): string {
    return `${this.options.name}#${this.options.attempt}`
  }

  #operatorObjects(): readonly Operator[] {
    return this.#permission.running ? (this.#chain?.operators ?? []) : []
  }

  async #restore(): Promise<{ finished: boolean }> {
    if (hadFinished(this.options)) return { finished: true }
    const restore = new SubtaskRestore(this.options, (operator) => this.#hooks(operator))
    this.#runtimes = restore.runtimes
    this.#restored = await restore.read()
    // Cut off meanwhile: nothing is made that nobody would close.
    this.#leaving.signal.throwIfAborted()
    this.#chain = restore.makeChain(this.#wired().writers)
    return { finished: false }
  }

  #hooks(operator: ChainedOperator): OperatorHooks {
    const { task, attempt, tell } = this.options
    return {
      gate: this.gate,
      mail: (mail) => this.#subtask?.mail(mail),
      fail: (cause) => {
        this.fail(this.#blame.put(operator.name, cause))
      },
      blame: (thrown) => this.#blame.put(operator.name, thrown),
      sendSplitRequest: () => tell({ type: 'split.requested', task, attempt }),
      count: (name, added) => tell({ type: 'records.counted', name, added }),
      broken: (cause) => this.#broken(cause),
    }
  }

  #open(): void | Promise<void> {
    const chain = this.#made()
    const { causes, tap, turnLoop } = this.#environment
    this.#subtask = new Subtask({
      channels: this.#wired().channels,
      inputs: chain.head.inputs as readonly Input<unknown>[],
      source: chain.source,
      restored: this.#restored,
      emitLastWatermark: () => {
        // Nobody takes a watermark from an idle input.
        chain.headOutput.processWatermarkStatus(false)
        chain.headOutput.processWatermark(MAX_WATERMARK)
      },
      gate: this.gate,
      permission: this.#permission,
      wake: () => turnLoop.wake(),
      stepped: (startMs, endMs) => this.meter.stepped(this.gate, startMs, endMs),
      events: {
        barrierArrived: (channel, barrier, sequence) =>
          this.#alignment?.send({ type: 'barrier.arrived', channel, barrier, sequence }),
        announcementArrived: (channel, barrier, sequence) =>
          this.#alignment?.send({ type: 'announcement.arrived', channel, barrier, sequence }),
        restoredConsumed: () => this.#restoredConsumed(),
        cancellationArrived: (channel, checkpointId) =>
          this.#alignment?.send({ type: 'cancellation.arrived', channel, checkpointId }),
        partitionEnded: (channel) => this.#alignment?.send({ type: 'partition.ended', channel }),
        inputExhausted: (end) => this.#host.send({ type: 'data.ended', ...end }),
        failed: (cause) => this.fail(cause),
      },
    })
    this.#lives = new OperatorLives({
      path: `${this.#path}/operators`,
      names: this.options.vertex.operators.map(({ name }) => name),
      operators: chain.operators,
      causes,
      tap,
      operatorFailed: (name, thrown) => {
        this.fail(this.#blame.put(name, thrown))
      },
      broken: (cause) => this.#broken(cause),
    })
    return inOrder([() => this.#lives?.open(), () => this.#register()])
  }

  /** Before RUNNING is told: what the enumerator deals out is under way before the first checkpoint can be triggered. */
  #register(): void {
    const { task, attempt, vertex, tell } = this.options
    if (vertex.source !== undefined) tell({ type: 'reader.registered', task, attempt })
  }

  /** No channel is read meanwhile. */
  #processInFlight(): void | Promise<void> {
    this.#environment.turnLoop.add(this.#reading())
    if (this.#restored.length === 0) return
    const processed = new Promise<void>((resolve) => {
      this.#restoredConsumed = resolve
    })
    this.#permission.restoring = true
    this.#permission.running = true
    return processed
  }

  #run(): void {
    const subtask = this.#reading()
    this.#alignment = new SubtaskAlignment({
      options: this.options,
      path: this.#path,
      chain: this.#made(),
      runtimes: this.#runtimes,
      channels: this.#wired().channels,
      subtask,
      permission: this.#permission,
      gate: this.gate,
      checkpoints: this.#checkpoints,
      snapshotted: (checkpointId) => this.#host.send({ type: 'checkpoint.snapshotted', checkpointId }),
      fail: (thrown) => this.fail(thrown),
      causeOf: (thrown) => this.#causeOf(thrown),
      broken: (cause) => this.#broken(cause),
    })
    this.#alignment.start()
    this.#permission.restoring = false
    this.#permission.running = true
    if (this.options.drained === true) subtask.mail(() => subtask.stopSource({ drained: true, savepoint: null }))
    this.#environment.turnLoop.wake()
  }

  #giveToSource(event: SourceEvent): void {
    const source = this.#made().source as SourceOperator
    if (event.type === 'addSplits')
      source.addSplits(event.splits.map((split) => new Uint8Array(Buffer.from(split, 'base64'))))
    else source.noMoreSplits()
    this.#reading().readAgain()
  }

  /** Nothing else is read meanwhile. */
  #finish(ending: InputEnd): void | Promise<void> {
    const { operators, writeControl } = this.#made()
    const end = () => writeControl(endOfData(ending))
    for (const runtime of this.#runtimes) runtime.endTimers()
    if (!ending.drained) {
      for (const operator of operators) operator.stop?.()
      return end()
    }
    const finishing = this.#lives?.finish()
    if (!(finishing instanceof Promise)) return end()
    const ended = finishing.then(end)
    this.gate.pause(ended.catch(() => {}))
    return ended
  }

  #endPartitions(withEndOfData: boolean): void {
    const { channels, writers } = this.#wired()
    // It had finished before and reads nothing.
    if (withEndOfData) for (const channel of channels) channel.abandon()
    endPartitions(writers.values(), withEndOfData)
  }

  #drainOutput(): void | Promise<void> {
    if (this.#outputIsConsumed()) return
    return new Promise((resolve) => {
      this.#outputDrained = resolve
    })
  }

  #outputIsConsumed(): boolean {
    const writers = [...this.#wired().writers.values()]
    return writers.every(({ channels }) => channels.every(({ dataConsumed }) => dataConsumed))
  }

  async #close(): Promise<void> {
    this.#stopReading()
    await this.#checkpoints.settled()
    await this.#lives?.close()
    await Promise.all(this.#runtimes.map((runtime) => runtime.close()))
  }

  /**
   * Settles when no write, commit or notification of the user's is under way any more: no attempt begins beside a living
   * one, and a promise that never settles ends in the timeout of the cancellation. A snapshot that is still being written
   * is not waited for: nothing of it can be published, and its files are removed when it is through.
   */
  async #dispose(): Promise<void> {
    this.#stopReading()
    this.#leaving.abort()
    this.#checkpoints.abortAll()
    // What fails on the way out is not what failed the task.
    await this.#restoring?.catch(() => {})
    await this.#lives?.close().catch(() => {})
    await Promise.allSettled(this.#runtimes.map((runtime) => runtime.close()))
    await this.#notifications.settled()
    await this.gate.underWay.settled()
  }

  #stopReading(): void {
    this.#permission.running = false
    if (this.#subtask !== undefined) this.#environment.turnLoop.remove(this.#subtask)
    this.#alignment?.stop()
  }

  /** The task's own chart takes no fact any more, so nobody would tell that the task is gone. */
  async #endBroken(cause: Error): Promise<void> {
    const { task, attempt, tell } = this.options
    this.#broken(cause)
    await this.#dispose()
    const failed = this.#environment.causes.of(cause, 'INTERNAL')
    this.meter.entered('FAILED')
    tell({ type: 'task.changed', task, attempt, state: 'FAILED', cause: failed })
  }

  #causeOf(thrown: unknown): Cause {
    const operator = this.#blame.of(thrown)
    const cause = this.#environment.causes.of(thrown, 'USER_FUNCTION_FAILED')
    return operator === undefined ? cause : { ...cause, operator }
  }

  /** A rule of the house is broken: the job fails for good. */
  #broken(cause: Error): void {
    const { causes } = this.#environment
    const broken = new StreamError('INTERNAL', { message: `${this.options.name}: ${textOf(cause)}`, cause })
    this.options.tell({ type: 'executor.failed', attempt: this.options.attempt, cause: causes.of(broken, 'INTERNAL') })
  }

  #wired(): Connections {
    return this.#connections as Connections
  }

  #made(): OperatorChain {
    return this.#chain as OperatorChain
  }

  #reading(): Subtask {
    return this.#subtask as Subtask
  }
}
