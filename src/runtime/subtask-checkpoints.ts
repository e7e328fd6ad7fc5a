/** The checkpoints of one subtask that are under way: from the freezing of its state to the acknowledgement. */
import type { Json } from '../elements/json.ts'
import type { Operator } from '../operators/operator.ts'
import type { OperatorSubtaskState, SnapshotFormat, StateHandle } from '../state/snapshot.ts'
import type { Blame } from './blame.ts'
import type { Cause } from './control/causes.ts'
import { hostSubtaskCheckpoint, type SubtaskCheckpointHost } from './control/subtask-checkpoint.ts'
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

export class SubtaskCheckpoints {
  readonly #options: SubtaskCheckpointsOptions
  readonly #hosts = new Map<number, SubtaskCheckpointHost<true>>()
  #waiting: (() => void)[] = []

  constructor(options: SubtaskCheckpointsOptions) {
    this.#options = options
  }

  /** The synchronous part; writing goes on beside the records. Throws what freezing threw: the caller declines then. */
  take(
    checkpointId: number,
    format: SnapshotFormat,
    runtimes: readonly OperatorRuntime[],
    operators: readonly Operator[],
  ): void {
    let frozen: FrozenSubtask | undefined
    const host = this.#host(checkpointId, () => frozen)
    this.#hosts.set(checkpointId, host)
    host.start()
    try {
      frozen = freezeSubtask(runtimes, operators, checkpointId, format, this.#options)
    } catch (thrown) {
      host.aborted()
      host.notFrozen(thrown)
      throw thrown
    }
    host.frozen()
  }

  abort(checkpointId: number): void {
    this.#hosts.get(checkpointId)?.aborted()
  }

  /** Settles when none is under way: a task that ends well has answered for all that it took part in. */
  async settled(): Promise<void> {
    if (this.#hosts.size === 0) return
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  abortAll(): void {
    for (const host of [...this.#hosts.values()]) host.aborted()
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
        acknowledge: ({ handles }) =>
          tell({ type: 'checkpoint.acknowledged', task, attempt, checkpointId, handles: handles as unknown as Json }),
        decline: ({ reason, message, cause }) =>
          tell({ type: 'checkpoint.declined', task, attempt, checkpointId, reason, message, cause }),
        discard: (states) => environment.discard(handlesOf(states)),
        forget: () => this.#forget(checkpointId),
        causeOf,
        nowMs: () => environment.ports.clock.now(),
        failed: broken,
      },
    })
  }

  #forget(checkpointId: number): void {
    this.#hosts.delete(checkpointId)
    if (this.#hosts.size > 0) return
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

function handlesOf(states: readonly OperatorSubtaskState[]): readonly StateHandle[] {
  return states.flatMap(({ keyed, operator }) => [keyed, operator].filter((handle) => handle !== undefined))
}
