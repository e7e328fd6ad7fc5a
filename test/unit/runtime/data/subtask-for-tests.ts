/** A subtask with channels that a test writes into itself, and an operator that only writes down what it gets. */
import type { CheckpointBarrier } from '../../../../src/elements/stream-element.ts'
import type { Input } from '../../../../src/operators/operator.ts'
import { Channel } from '../../../../src/runtime/data/channel.ts'
import type { RestoredRecords } from '../../../../src/runtime/data/restored-input.ts'
import { type Permission, Subtask } from '../../../../src/runtime/data/subtask.ts'
import { SubtaskGate } from '../../../../src/runtime/data/subtask-gate.ts'

export function barrier(mode: CheckpointBarrier['mode'], checkpointId = 1): CheckpointBarrier {
  return { type: 'barrier', checkpointId, timestamp: 0, kind: 'checkpoint', mode }
}

export interface DrivenSubtask {
  readonly subtask: Subtask
  readonly channels: readonly Channel[]
  readonly gate: SubtaskGate
  readonly permission: Permission
  /** What happened, in order. A record is told by its value alone, on input 1 with a `'`. */
  readonly told: unknown[]
  /** What the operator does with each record, before it is written down. */
  onRecord: (value: unknown) => void
  onBarrier: (channel: number, barrier: CheckpointBarrier, sequence: number) => void
  onAnnouncement: (channel: number, barrier: CheckpointBarrier, sequence: number) => void
  /** Steps until there is nothing to do. */
  rest(): void
}

export function drivenSubtask(
  inputsOfChannels: readonly number[],
  given: { restored?: RestoredRecords[]; credit?: number; stepped?: () => void } = {},
): DrivenSubtask {
  const told: unknown[] = []
  const gate = new SubtaskGate({ wake() {}, failed: (cause) => told.push(cause), monotonicMs: () => 0 })
  const permission: Permission = { running: true, standstill: false, held: [], restoring: false }
  const sender = { outputFull() {}, outputFree() {}, dataConsumed: () => void told.push('data consumed') }
  const channels = inputsOfChannels.map(
    (input, index) => new Channel({ credit: given.credit ?? 4, input, index, sender, receiver: { wake() {} } }),
  )
  const inputs = Array.from(
    { length: Math.max(0, ...inputsOfChannels) + 1 },
    (_, index): Input<unknown> => ({
      processElement(value) {
        driven.onRecord(value)
        told.push(index === 0 ? value : `${value}'`)
      },
      processWatermark: (timestamp) => void told.push(`watermark ${timestamp}`),
      processWatermarkStatus: (idle) => void told.push(`idle ${idle}`),
    }),
  )
  const subtask = new Subtask({
    channels,
    inputs,
    source: undefined,
    emitLastWatermark() {},
    gate,
    permission,
    restored: given.restored ?? [],
    wake() {},
    stepped: given.stepped,
    events: {
      barrierArrived(channel, arrived, sequence) {
        told.push(`${arrived.mode} ${channel}@${sequence}`)
        driven.onBarrier(channel, arrived, sequence)
      },
      announcementArrived(channel, announced, sequence) {
        told.push(`announced ${channel}@${sequence}`)
        driven.onAnnouncement(channel, announced, sequence)
      },
      cancellationArrived: (channel, id) => void told.push(`cancellation ${channel} ${id}`),
      partitionEnded: (channel) => void told.push(`ended ${channel}`),
      restoredConsumed: () => void told.push('restored consumed'),
      inputExhausted: ({ drained }) => void told.push(`exhausted ${drained}`),
      failed: (cause) => void told.push(cause),
    },
  })
  const driven: DrivenSubtask = {
    subtask,
    channels,
    gate,
    permission,
    told,
    onRecord() {},
    onBarrier() {},
    onAnnouncement() {},
    rest() {
      for (let steps = 0; subtask.step(64); steps++) if (steps > 10_000) throw new Error('it never comes to rest')
    },
  }
  return driven
}
