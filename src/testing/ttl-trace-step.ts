/** The steps of a trace of a state with a time-to-live, as they are written, and as what they mean. */
import { StreamError } from '../base/errors.ts'

export type TtlTraceState = 'value' | 'list' | 'map'

export type TtlTraceStep =
  | { readonly type: 'time'; readonly timestamp: number }
  | { readonly type: 'key'; readonly key: string }
  | { readonly type: 'snapshot' | 'restore' | 'clear' | 'read' }
  /** Of a value one. */
  | { readonly type: 'write'; readonly values: readonly string[] }
  | { readonly type: 'add'; readonly value: string }
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  | { readonly type: 'get' | 'remove'; readonly key: string }

/** Throws TRACE_INVALID for a step that a state of that kind does not have. */
export function parseTtlStep(text: string, state: TtlTraceState): TtlTraceStep {
  const step = read(text, state)
  if (step !== undefined) return step
  throw new StreamError('TRACE_INVALID', {
    message: `'${text}' is no step of a trace of a ${state} state.`,
    hint: 'Steps: `@120`, `key K`, `snapshot`, `restore`, `clear`, `read`; of a value `write a`; of a list `write a,b`, `add c`; of a map `put x 1`, `remove x`, `get x`.',
  })
}

function read(text: string, state: TtlTraceState): TtlTraceStep | undefined {
  const [what = '', one, other, ...rest] = text.split(' ')
  if (rest.length > 0 || one === '' || other === '') return undefined
  if (one === undefined) {
    if (what === 'snapshot' || what === 'restore' || what === 'clear' || what === 'read') return { type: what }
    return /^@\d+$/.test(what) ? { type: 'time', timestamp: Number(what.slice(1)) } : undefined
  }
  if (other !== undefined)
    return what === 'put' && state === 'map' ? { type: 'put', key: one, value: other } : undefined
  if (what === 'key') return { type: 'key', key: one }
  if (what === 'write' && state !== 'map') return { type: 'write', values: state === 'list' ? one.split(',') : [one] }
  if (what === 'add' && state === 'list') return { type: 'add', value: one }
  return (what === 'get' || what === 'remove') && state === 'map' ? { type: what, key: one } : undefined
}
