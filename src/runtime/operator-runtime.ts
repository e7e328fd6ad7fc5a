/**
 * What one operator of one subtask lives on: its states, restored; its timers; its context. Makes the operator when that
 * is in place.
 */
import type { ChainedOperator } from '../graph/job-graph.ts'
import type { Operator, OperatorContext, OperatorCounters } from '../operators/operator.ts'
import { Slice } from '../operators/slice.ts'
import type { Transactions } from '../operators/transactions.ts'
import { freezingKeyedState } from '../state/freezing-keyed-state.ts'
import { freezingOperatorState } from '../state/freezing-operator-state.ts'
import { keyGroupRangeOf } from '../state/key-groups.ts'
import { type OperatorStateStore, operatorStateStore } from '../state/operator-state.ts'
import { decodeOperatorState } from '../state/operator-state-format.ts'
import { redistributeOperatorState } from '../state/redistribution.ts'
import type { SnapshotReader, StateHandle, StoredHandle } from '../state/snapshot.ts'
import type { KeyedStateBackend, StoredKeyedState } from '../state/state-backend.ts'
import { createTimerService, type InternalTimerService } from '../state/timers.ts'
import { twoPhaseCommit } from './control/two-phase-commit.ts'
import { freezingLinks } from './data/freezing-links.ts'
import type { ChainLinks } from './data/operator-chain.ts'
import type { SubtaskGate } from './data/subtask-gate.ts'
import type { OperatorRestore } from './restore-assignment.ts'
import type { StreamTaskOptions } from './task-environment.ts'

/** How an operator reaches its subtask. */
export interface OperatorHooks {
  readonly gate: SubtaskGate
  mail(mail: () => void): void
  fail(cause: unknown): void
  blame(thrown: unknown): unknown
  sendSplitRequest(): void
  count(name: string, added: number): void
  broken(cause: Error): void
}

export class OperatorRuntime {
  readonly operator: ChainedOperator
  readonly counters: OperatorCounters = { recordsIn: 0, recordsOut: 0 }
  readonly #task: StreamTaskOptions
  readonly #index: number
  readonly #hooks: OperatorHooks
  #keyedState: KeyedStateBackend | undefined
  /** On disk: another operator of the chain may have failed before it was through. */
  #restoring: Promise<void> | undefined
  #operatorState: OperatorStateStore | undefined
  #timers: InternalTimerService | undefined
  /** Before the timers were closed. */
  #fired = 0
  readonly #counts: Record<string, number> = {}
  #transactions: Transactions<unknown> | undefined

  constructor(task: StreamTaskOptions, operator: ChainedOperator, index: number, hooks: OperatorHooks) {
    this.operator = operator
    this.#task = task
    this.#index = index
    this.#hooks = hooks
  }

  get keyedState(): KeyedStateBackend | undefined {
    return this.#keyedState
  }

  /** Timers that have fired. */
  get numFiredTimers(): number {
    return this.#fired + (this.#timers?.numFiredTimers() ?? 0)
  }

  /** Named counts of the operator. */
  get counts(): Readonly<Record<string, number>> {
    return { ...this.#counts }
  }

  get operatorState(): OperatorStateStore | undefined {
    return this.#operatorState
  }

  /** Reads, verifies and takes in what the checkpoint holds for this operator. */
  async restore(): Promise<void> {
    const { restore, location, environment } = this.#task
    const stored = restore.operators[this.#index] as OperatorRestore
    const reader = location === undefined ? undefined : environment.snapshotReader(location)
    const lists = await Promise.all(
      stored.operator.map((handle) => (handle === null ? undefined : read(reader, handle))),
    )
    const keyed = (this.operator.keyed ? stored.keyed : []).map((handle) => ({
      handle,
      keyGroups: handle.identity.keyGroups ?? { first: 0, last: -1 },
      reader: reader as SnapshotReader,
      mayReuse: this.#task.mayReuse,
    }))
    await this.adopt(lists, keyed)
  }

  /**
   * Takes in what was read: by old subtask its operator state, and the keyed state of those whose key groups touch these
   * here. Waits only where the state backend does.
   */
  adopt(operator: readonly (Uint8Array | undefined)[], keyed: readonly StoredKeyedState[]): void | Promise<void> {
    const { vertex, subtask } = this.#task
    const { maxParallelism, parallelism } = vertex
    const lists = operator.map((bytes) => (bytes === undefined ? undefined : decodeOperatorState(bytes)))
    this.#operatorState = operatorStateStore({
      subtask,
      restored: redistributeOperatorState(lists, parallelism)[subtask] ?? [],
    })
    if (!this.operator.keyed) return
    const hooks = this.#hooks
    const backend = this.#task.environment.keyedStateBackends.create({
      maxParallelism,
      keyGroups: keyGroupRangeOf(maxParallelism, parallelism, subtask),
      keepsKeys: this.operator.create.keepsKeys === true,
      pause: (settled) => hooks.gate.pause(settled),
      failed: hooks.fail,
    })
    const restore = (made: KeyedStateBackend) => {
      this.#keyedState = made
      return made.restore(keyed)
    }
    if (!(backend instanceof Promise)) return restore(backend)
    this.#restoring = backend.then(restore)
    return this.#restoring
  }

  make(links: ChainLinks): Operator {
    const context = this.#context(links)
    return this.operator.create(this.#task.environment.settings.debugFreeze === true ? freezing(context) : context)
  }

  /** The input has ended: processing timers that are still due fire no more, as in Flink; downstream has its end of data. */
  endTimers(): void {
    this.#fired = this.numFiredTimers
    this.#timers?.close()
    this.#timers = undefined
  }

  /** Timers fire no more, commits have ended, states are let go. */
  async close(): Promise<void> {
    this.endTimers()
    await this.#transactions?.close()
    await this.#restoring?.catch(() => {
      // Whoever restored has been told.
    })
    await this.#keyedState?.close()
  }

  #context(links: ChainLinks): OperatorContext {
    const { environment, vertex, subtask, attempt, restoredCheckpointId } = this.#task
    const { ports, settings, jobId, jobName, epoch } = environment
    const hooks = this.#hooks
    return {
      task: {
        jobId,
        jobName,
        operatorId: this.operator.operatorId,
        operatorName: this.operator.name,
        subtask,
        parallelism: vertex.parallelism,
        maxParallelism: vertex.maxParallelism,
        attempt: attempt - 1,
        epoch,
        restoredCheckpointId,
        checkpointing: settings.checkpointing,
      },
      output: links.output,
      sideOutput: links.sideOutput,
      gate: hooks.gate,
      counters: this.counters,
      clock: ports.clock,
      random: ports.random,
      ids: ports.ids,
      files: ports.files,
      logger: ports.logger,
      operatorState: this.#operatorState as OperatorStateStore,
      keyedState: this.#keyedState,
      timerService: (target) => {
        const backend = this.#keyedState as KeyedStateBackend
        const due = () => hooks.mail(() => this.#fireDue())
        this.#timers = createTimerService({ backend, clock: ports.clock, target, due })
        return this.#timers
      },
      mail: hooks.mail,
      pause: (settled) => hooks.gate.pause(settled),
      resumeLater: (work) => hooks.gate.resumeLater(work),
      fail: hooks.fail,
      blame: hooks.blame,
      sendSplitRequest: hooks.sendSplitRequest,
      count: (name, added) => {
        this.#counts[name] = (this.#counts[name] ?? 0) + added
        hooks.count(name, added)
      },
      transactions: (work) => {
        const transactions = twoPhaseCommit({
          id: `${this.#task.name}#${attempt}/transactions`,
          clock: ports.clock,
          causes: environment.causes,
          retries: settings.committerRetries,
          commitTimeoutMs: settings.commitTimeoutMs,
          checkpointing: settings.checkpointing,
          commit: work.commit,
          ...(work.abort === undefined ? {} : { abort: work.abort }),
          failed: hooks.broken,
          tap: environment.tap,
        })
        this.#transactions = transactions as Transactions<unknown>
        return transactions
      },
    }
  }

  /** Between two timers the gate may close, or the step end. */
  #fireDue(): void {
    const { gate } = this.#hooks
    const slice = new Slice(this.#task.environment.ports.clock)
    while (this.#timers?.pollDueProcessingTimer()) {
      const inALaterStep = slice.isOver()
      if (gate.closed !== 0 || inALaterStep) return gate.resumeLater({ resume: () => this.#fireDue(), inALaterStep })
    }
  }
}

/** The same context; what goes out, and what states are given and give, is frozen. */
function freezing(context: OperatorContext): OperatorContext {
  const { keyedState, operatorState } = context
  return {
    ...context,
    ...freezingLinks(context),
    keyedState: keyedState && freezingKeyedState(keyedState),
    operatorState: freezingOperatorState(operatorState),
    unfrozenOperatorState: operatorState,
  }
}

/** Operator state is never composite. */
function read(reader: SnapshotReader | undefined, handle: StateHandle): Promise<Uint8Array> {
  return (reader as SnapshotReader).read(handle as StoredHandle)
}
