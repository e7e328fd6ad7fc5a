/** The checkpoints of one subtask that are under way: from the freezing of its state to the acknowledgement. */
import { handlesIn } from '../checkpoint/stored-handles.ts'
import type { Json } from '../elements/json.ts'
import type { Operator } from '../operators/operator.ts'
import type { OperatorSubtaskState, SnapshotFormat } from '../state/snapshot.ts'
import type { Blame } from './blame.ts'
import { type SnapshotAlignment, snapshotSizes } from './checkpoint-metrics.ts'
import type { Cause } from './control/causes.ts'
import { hostSubtaskCheckpoint, type SubtaskCheckpointHost } from './control/subtask-checkpoint.ts'
import type { InFlightSnapshot } from './in-flight-snapshot.ts'
import type { TaskFact } from './link.ts'
import type { OperatorRuntime } from './operator-runtime.ts'
import { type FrozenSubtask, freezeSubtask, writeSubtask } from './subtask-snapshot.ts'
import type { TaskEnvironment } from './task-environment.ts'

export interface SubtaskCheckpointsOptions {
  /** Names the charts: `count (1/4)#1`. */
  readonly path: string
  readonly task: number
  readonly attempt: number
  readonly subtask: number
  readonly environment: TaskEnvironment
  readonly blame: Blame
  tell(fact: TaskFact): void
  causeOf(thrown: unknown): Cause
  broken(cause: Error): void
}

/** What is measured of an alignment. It may be known before the snapshot is taken, or only after that. */
type Measured = Partial<Pick<SnapshotAlignment, 'alignmentMs'> & { readonly processedBytes: number }>

interface UnderWay {
  readonly host: SubtaskCheckpointHost<true>
  alignment: SnapshotAlignment & { readonly processedBytes: number }
}

export class SubtaskCheckpoints {
  readonly #options: SubtaskCheckpointsOptions
  readonly #underWay = new Map<number, UnderWay>()
  /** Of the checkpoint that is next to be taken, if it is. */
  #measured: { readonly checkpointId: number; readonly measured: Measured } | undefined
  #waiting: (() => void)[] = []
  /** Of the last one that was acknowledged. */
  #last: SnapshotAlignment | undefined

  constructor(options: SubtaskCheckpointsOptions) {
    this.#options = options
  }

  /** The synchronous part; writing goes on beside the records. Throws what freezing threw: the caller declines then. */
  take(
    checkpointId: number,
    format: SnapshotFormat,
    alignment: SnapshotAlignment,
    runtimes: readonly OperatorRuntime[],
    operators: readonly Operator[],
    inFlight?: InFlightSnapshot | undefined,
  ): void {
    let frozen: FrozenSubtask | undefined
    const host = this.#host(checkpointId, () => frozen)
    const measured = this.#measured?.checkpointId === checkpointId ? this.#measured.measured : {}
    this.#underWay.set(checkpointId, { host, alignment: { ...alignment, processedBytes: 0, ...measured } })
    host.start()
    try {
      frozen = freezeSubtask(runtimes, operators, checkpointId, format, { ...this.#options, inFlight })
    } catch (thrown) {
      host.aborted()
      host.notFrozen(thrown)
      throw thrown
    }
    host.frozen()
  }

  /** How the barriers of the last checkpoint came that this subtask was part of. */
  get lastAlignment(): SnapshotAlignment | undefined {
    return this.#last
  }

  /** Counts until the snapshot is acknowledged: then it is too late. */
  measured(checkpointId: number, measured: Measured): void {
    const taken = this.#underWay.get(checkpointId)
    if (taken === undefined) this.#measured = { checkpointId, measured }
    else taken.alignment = { ...taken.alignment, ...measured }
  }

  abort(checkpointId: number): void {
    this.#underWay.get(checkpointId)?.host.aborted()
  }

  /** Settles when none is under way: a task that ends well has answered for all that it took part in. */
  async settled(): Promise<void> {
    if (this.#underWay.size === 0) return
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  abortAll(): void {
    for (const { host } of [...this.#underWay.values()]) host.aborted()
  }

  #host(checkpointId: number, frozen: () => FrozenSubtask | undefined): SubtaskCheckpointHost<true> {
    const { path, task, attempt, environment, blame, tell, causeOf, broken } = this.#options
    return hostSubtaskCheckpoint<true, readonly OperatorSubtaskState[]>({
      id: `${path}/checkpoint-${checkpointId}`,
      attempt,
      checkpointId,
      location: true,
      tap: environment.tap,
      deps: {
        write: (_, signal) => writeSubtask(frozen() as FrozenSubtask, environment, signal, blame),
        release: () => frozen()?.release(),
        acknowledge: ({ handles, syncMs, asyncMs }) => {
          const { alignment } = this.#underWay.get(checkpointId) as UnderWay
          this.#last = alignment
          tell({
            type: 'checkpoint.acknowledged',
            task,
            attempt,
            checkpointId,
            handles: handles as unknown as Json,
            metrics: { ...alignment, syncMs, asyncMs, ...snapshotSizes(handles, environment.epoch) },
          })
        },
        decline: ({ reason, message, cause }) =>
          tell({ type: 'checkpoint.declined', task, attempt, checkpointId, reason, message, cause }),
        discard: (states) => environment.discard(states.flatMap(handlesIn)),
        forget: () => this.#forget(checkpointId),
        causeOf,
        nowMs: () => environment.ports.clock.now(),
        failed: broken,
      },
    })
  }

  #forget(checkpointId: number): void {
    this.#underWay.delete(checkpointId)
    if (this.#underWay.size > 0) return
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
