/** Reads the steps of a barrier trace: `r1 q1 p1 b7@1 b7@1#30 s7@1 u7@1 a7@1 c7@1 e1 +100 ~100 close`. */
import { StreamError } from '../base/errors.ts'

export type BarrierStep =
  /** `busy`: it stays in the queue until a `process`. */
  | { readonly type: 'record'; readonly channel: number; readonly busy: boolean }
  /** The oldest record that waits because the subtask was busy. */
  | { readonly type: 'process'; readonly channel: number }
  | ({ readonly type: 'barrier' } & BarrierAt)
  /** It became unaligned upstream: it overtakes what waits. */
  | ({ readonly type: 'unalignedBarrier' } & BarrierAt)
  /** Its barrier was put behind what waits, and stays there until its own step comes or it is to overtake. */
  | ({ readonly type: 'announcement' } & BarrierAt)
  | { readonly type: 'cancellation'; readonly checkpointId: number; readonly channel: number }
  | { readonly type: 'end'; readonly channel: number }
  /** Due timers run, each at its own time. */
  | { readonly type: 'advance'; readonly ms: number }
  /** No timer runs. */
  | { readonly type: 'skip'; readonly ms: number }
  | { readonly type: 'close' }

export interface BarrierAt {
  readonly kind: 'checkpoint' | 'savepoint'
  readonly checkpointId: number
  readonly channel: number
  /** Undefined: when the checkpoint was first named. */
  readonly createdAtMs: number | undefined
}

const ON_CHANNEL = /^([rqpe])(\d+)$/
const OF_CHECKPOINT = /^([bsuac])(\d+)@(\d+)(?:#(\d+))?$/
const OF_TIME = /^([+~])(\d+)$/

/** Throws a StreamError of code TRACE_INVALID. */
export function parseBarrierStep(text: string): BarrierStep {
  if (text === 'close') return { type: 'close' }
  const [, word, number] = ON_CHANNEL.exec(text) ?? OF_TIME.exec(text) ?? []
  if (word !== undefined) return onChannelOrTime(word, Number(number))
  const [, letter, id, at, created] = OF_CHECKPOINT.exec(text) ?? []
  if (letter === undefined)
    throw new StreamError('TRACE_INVALID', {
      message: `"${text}" is no step of a barrier trace.`,
      hint: 'A step is one of r1 q1 p1 b7@1 b7@1#30 s7@1 u7@1 a7@1 c7@1 e1 +100 ~100 close.',
    })
  const checkpointId = Number(id)
  const channel = Number(at)
  if (letter === 'c') return { type: 'cancellation', checkpointId, channel }
  return {
    type: letter === 'u' ? 'unalignedBarrier' : letter === 'a' ? 'announcement' : 'barrier',
    kind: letter === 's' ? 'savepoint' : 'checkpoint',
    checkpointId,
    channel,
    createdAtMs: created === undefined ? undefined : Number(created),
  }
}

function onChannelOrTime(word: string, number: number): BarrierStep {
  switch (word) {
    case 'r':
      return { type: 'record', channel: number, busy: false }
    case 'q':
      return { type: 'record', channel: number, busy: true }
    case 'p':
      return { type: 'process', channel: number }
    case 'e':
      return { type: 'end', channel: number }
    case '+':
      return { type: 'advance', ms: number }
    default:
      return { type: 'skip', ms: number }
  }
}
