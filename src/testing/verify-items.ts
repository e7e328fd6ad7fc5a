/** What a verification feeds an operator with, item by item, and how items are said in messages. */
import { inspect } from 'node:util'
import { NO_TIMESTAMP } from '../elements/stream-element.ts'

/** Moves the clock of processing time by so many milliseconds. */
export interface AdvanceItem {
  readonly advanceMs: number
}

/** For one input: a record, a watermark, idleness, or time that goes by. */
export type OneInputItem<T> =
  | { readonly value: T; readonly timestamp?: number | undefined }
  | { readonly watermark: number }
  | { readonly idle: boolean }
  | AdvanceItem

/** The same for two inputs: the number says for which. */
export type TwoInputItem<A, B> =
  | { readonly value1: A; readonly timestamp?: number | undefined }
  | { readonly value2: B; readonly timestamp?: number | undefined }
  | { readonly watermark1: number }
  | { readonly watermark2: number }
  | { readonly idle1: boolean }
  | { readonly idle2: boolean }
  | AdvanceItem

/** The same where the second input is a broadcast one. */
export type BroadcastItem<A, B> =
  | OneInputItem<A>
  | { readonly broadcast: B; readonly timestamp?: number | undefined }
  | { readonly broadcastWatermark: number }
  | { readonly broadcastIdle: boolean }

export type Item = OneInputItem<unknown> | TwoInputItem<unknown, unknown> | BroadcastItem<unknown, unknown>

/** An item as the machinery sees it. The `end` is added by it. */
export type Step =
  | { readonly type: 'record'; readonly input: number; readonly value: unknown; readonly timestamp: number }
  | { readonly type: 'watermark'; readonly input: number; readonly timestamp: number }
  | { readonly type: 'status'; readonly input: number; readonly idle: boolean }
  | { readonly type: 'advance'; readonly ms: number }
  | { readonly type: 'end' }

export function stepOf(item: Item): Step {
  if ('advanceMs' in item) return { type: 'advance', ms: item.advanceMs }
  for (const [input, [value, watermark, idle]] of NAMES) {
    const found = item as Readonly<Record<string, unknown>>
    if (value in item)
      return { type: 'record', input, value: found[value], timestamp: (found.timestamp as number) ?? NO_TIMESTAMP }
    if (watermark in item) return { type: 'watermark', input, timestamp: found[watermark] as number }
    if (idle in item) return { type: 'status', input, idle: found[idle] === true }
  }
  throw new TypeError(`${inspect(item)} is no item of a verification`)
}

/** By input, the names of record, watermark and idleness. */
const NAMES = [
  [0, ['value', 'watermark', 'idle']],
  [0, ['value1', 'watermark1', 'idle1']],
  [1, ['value2', 'watermark2', 'idle2']],
  [1, ['broadcast', 'broadcastWatermark', 'broadcastIdle']],
] as const

/** For messages: `item 3, { value: 'a' }`. */
export function nameOfStep(items: readonly Item[], step: number): string {
  return step < items.length
    ? `item ${step + 1}, ${inspect(items[step], { breakLength: 120 })}`
    : 'the end of the input'
}
