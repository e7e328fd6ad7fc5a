/**
 * All subtasks of one operator: deals the elements out as the partitioners of a job would, and collects what comes out as
 * the next operator would see it.
 */
import { StreamError } from '../base/errors.ts'
import type { Ports } from '../base/ports.ts'
import type { ControlElement } from '../elements/stream-element.ts'
import type { Input } from '../operators/operator.ts'
import { WatermarkValve } from '../runtime/data/watermark-valve.ts'
import { keyGroupOf, subtaskOfKeyGroup } from '../state/key-groups.ts'
import { type HarnessSnapshot, restoredState, type Scale, scaleOf } from './harness-snapshot.ts'
import { OperatorSubtask, type OperatorUnderTest } from './operator-subtask.ts'

/** Which subtask gets the records of an input: that of the key, each in turn, or all of them. */
export type Dealing =
  | { readonly type: 'byKey'; readonly keySelector: (value: never) => unknown }
  | { readonly type: 'inTurn' }
  | { readonly type: 'toAll' }

export interface ParallelOperatorOptions {
  readonly underTest: OperatorUnderTest
  /** One entry an input. */
  readonly dealings: readonly Dealing[]
  readonly parallelism?: number | undefined
  readonly maxParallelism?: number | undefined
  readonly restoreFrom?: HarnessSnapshot | undefined
  readonly attempt?: number | undefined
  readonly ports: Ports
  /** Off when left out. */
  readonly debugFreeze?: boolean | undefined
  /** Called for every record that leaves, before it counts as output: closes the gate where the output is full. */
  readonly emitted?: ((subtask: OperatorSubtask) => void) | undefined
}

export interface EmittedRecord<R> {
  readonly value: R
  /** Undefined where the record has none. */
  readonly timestamp: number | undefined
}

/** What left the operator, in order. */
export type Emitted =
  | { readonly type: 'record'; readonly value: unknown; readonly timestamp: number }
  | { readonly type: 'side'; readonly tag: string; readonly value: unknown; readonly timestamp: number }
  | { readonly type: 'watermark'; readonly timestamp: number }
  | { readonly type: 'idle'; readonly idle: boolean }

export class ParallelOperator {
  readonly scale: Scale
  readonly subtasks: readonly OperatorSubtask[]
  /** Taken out by whoever reads it. */
  emitted: Emitted[] = []
  readonly #dealings: readonly Dealing[]
  readonly #next: number[]

  constructor(options: ParallelOperatorOptions) {
    const { underTest, dealings, restoreFrom, attempt = 0, ports, debugFreeze = false } = options
    this.scale = scaleOf(options, restoreFrom)
    this.#dealings = dealings
    this.#next = dealings.map(() => 0)
    if (restoreFrom !== undefined && !underTest.keyed) refuseKeyedState(restoreFrom, underTest.name)
    const restored = restoreFrom === undefined ? undefined : restoredState(restoreFrom)
    const valve = new WatermarkValve(this.scale.parallelism, {
      processWatermark: (timestamp) => void this.emitted.push({ type: 'watermark', timestamp }),
      processWatermarkStatus: (idle) => void this.emitted.push({ type: 'idle', idle }),
    })
    const made: OperatorSubtask[] = []
    for (let subtask = 0; subtask < this.scale.parallelism; subtask++) {
      const emit = (element: Emitted): void => {
        const from = made[subtask]
        if (from !== undefined) options.emitted?.(from)
        this.emitted.push(element)
      }
      const output: Input<unknown> = {
        processElement: (value, timestamp) => emit({ type: 'record', value, timestamp }),
        processWatermark: (timestamp) => valve.inputWatermark(subtask, timestamp),
        processWatermarkStatus: (idle) => valve.inputStatus(subtask, idle),
      }
      const sideOutput = (tag: string): Input<unknown> => ({
        processElement: (value, timestamp) => emit({ type: 'side', tag, value, timestamp }),
        processWatermark() {},
        processWatermarkStatus() {},
      })
      made.push(
        new OperatorSubtask({
          underTest,
          subtask,
          scale: this.scale,
          ports,
          attempt,
          restored,
          links: { output, sideOutput },
          debugFreeze,
        }),
      )
    }
    this.subtasks = made
  }

  /** Puts a record before the subtask that is to have it. */
  push(input: number, value: unknown, timestamp: number): void {
    for (const subtask of this.#receivers(input, value)) subtask.push(input, value, timestamp)
  }

  /** Before every subtask. */
  pushControl(input: number, element: ControlElement): void {
    for (const subtask of this.subtasks) subtask.pushControl(input, element)
  }

  run(): void {
    for (const subtask of this.subtasks) subtask.run()
  }

  get failure(): { readonly thrown: unknown } | undefined {
    return this.subtasks.find(({ failure }) => failure !== undefined)?.failure
  }

  async snapshot(checkpointId: number): Promise<HarnessSnapshot> {
    const subtasks = await Promise.all(this.subtasks.map((subtask) => subtask.snapshot(checkpointId)))
    return { checkpointId, maxParallelism: this.scale.maxParallelism, subtasks }
  }

  async notifyCheckpointComplete(checkpointId: number): Promise<void> {
    await Promise.all(this.subtasks.map((subtask) => subtask.notifyCheckpointComplete(checkpointId)))
  }

  async notifyCheckpointAborted(checkpointId: number): Promise<void> {
    await Promise.all(this.subtasks.map((subtask) => subtask.notifyCheckpointAborted(checkpointId)))
  }

  async close(): Promise<void> {
    const closed = await Promise.allSettled(this.subtasks.map((subtask) => subtask.close()))
    for (const result of closed) if (result.status === 'rejected') throw result.reason
  }

  #receivers(input: number, value: unknown): readonly OperatorSubtask[] {
    const { parallelism, maxParallelism } = this.scale
    const dealing = this.#dealings[input] as Dealing
    // With one subtask the operator itself meets the key, and names it where it cannot be one.
    if (parallelism === 1 || dealing.type === 'toAll') return this.subtasks
    if (dealing.type === 'byKey') {
      const group = keyGroupOf(dealing.keySelector(value as never), maxParallelism)
      return [this.subtasks[subtaskOfKeyGroup(group, maxParallelism, parallelism)] as OperatorSubtask]
    }
    const next = this.#next[input] as number
    this.#next[input] = (next + 1) % parallelism
    return [this.subtasks[next] as OperatorSubtask]
  }
}

function refuseKeyedState({ subtasks }: HarnessSnapshot, name: string): void {
  if (subtasks.every(({ keyed }) => keyed === undefined)) return
  throw new StreamError('STATE_NOT_RESTORED', {
    message: `The snapshot holds keyed state, and the harness of "${name}" has no key.`,
    hint: 'Restore it in a harness with keyBy.',
  })
}
