/** The steps of a timer trace, as they are written, and as what they mean. */
import { StreamError } from '../base/errors.ts'

export type TimerTraceStep =
  | {
      readonly type: 'register' | 'delete'
      readonly domain: 'event' | 'processing'
      readonly key: string
      readonly namespace: string
      readonly timestamp: number
    }
  | { readonly type: 'watermark' | 'now'; readonly timestamp: number }
  | { readonly type: 'snapshot' | 'restore' }

/** Throws TRACE_INVALID for a step that does not exist. */
export function parseTimerStep(text: string): TimerTraceStep {
  const words = text.split(' ')
  const [what = '', key = '', namespace = '', time = ''] = words
  if (words.length === 1 && (what === 'snapshot' || what === 'restore')) return { type: what }
  if (words.length === 2 && (what === 'watermark' || what === 'now') && isTime(key))
    return { type: what, timestamp: Number(key) }
  const match = /^(?:(event|processing)|delete(Event|Processing))$/.exec(what)
  if (words.length !== 4 || match === null || !isTime(time))
    throw new StreamError('TRACE_INVALID', {
      message: `'${text}' is no step of a timer trace.`,
      hint: 'Steps: `event KEY NAMESPACE TIME`, `processing …`, `deleteEvent …`, `deleteProcessing …`, `watermark 10`, `now 10`, `snapshot`, `restore`.',
    })
  const domain = (match[1] ?? match[2])?.toLowerCase() === 'event' ? 'event' : 'processing'
  return { type: match[1] === undefined ? 'delete' : 'register', domain, key, namespace, timestamp: Number(time) }
}

function isTime(text: string): boolean {
  return text !== '' && Number.isFinite(Number(text))
}
