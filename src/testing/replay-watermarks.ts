/** Replays a watermark trace through the valve that every subtask uses. */
import { MAX_WATERMARK } from '../elements/stream-element.ts'
import { WatermarkValve } from '../runtime/data/watermark-valve.ts'

/** Watermarks and idleness of several channels, and what must come of them. */
export interface WatermarkTrace {
  readonly channels: number
  /** `w15@0`, `wMAX@0`, `idle@2`, `active@2` */
  readonly steps: readonly string[]
}

export interface WatermarkReplay {
  readonly emitted: readonly (number | 'MAX' | 'IDLE' | 'ACTIVE')[]
  readonly emittedAt: readonly number[]
}

/** What the valve emitted, and in which step. */
export function replayWatermarks(trace: WatermarkTrace): WatermarkReplay {
  const emitted: (number | 'MAX' | 'IDLE' | 'ACTIVE')[] = []
  const emittedAt: number[] = []
  let step = 0
  const note = (what: number | 'MAX' | 'IDLE' | 'ACTIVE') => {
    emitted.push(what)
    emittedAt.push(step)
  }
  const valve = new WatermarkValve(trace.channels, {
    processWatermark: (timestamp) => note(timestamp === MAX_WATERMARK ? 'MAX' : timestamp),
    processWatermarkStatus: (idle) => note(idle ? 'IDLE' : 'ACTIVE'),
  })
  for (; step < trace.steps.length; step++) {
    const [what = '', channel = ''] = (trace.steps[step] as string).split('@')
    if (what === 'idle' || what === 'active') valve.inputStatus(Number(channel), what === 'idle')
    else valve.inputWatermark(Number(channel), what === 'wMAX' ? MAX_WATERMARK : Number(what.slice(1)))
  }
  return { emitted, emittedAt }
}
