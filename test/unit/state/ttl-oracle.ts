/** Flink's rules for state with a time-to-live, written down as plainly as possible: what a test compares the states with. */

export interface Rules {
  readonly ttlMs: number
  readonly refreshesOnRead: boolean
  readonly returnsExpired: boolean
}

export interface Element {
  readonly value: number
  readonly atMs: number
}

export type Kind = 'value' | 'list' | 'map' | 'reducing' | 'aggregating'

/** What one key has of one state: elements by name, in order. Single values are the element '', those of a list '0', '1', ... */
export type Cell = readonly (readonly [name: string, element: Element])[]

export type Op =
  /** A value is replaced, a list is replaced by two elements, a map entry is put; the others are added to. */
  | { readonly do: 'write'; readonly name: string; readonly value: number }
  | { readonly do: 'append'; readonly value: number }
  | { readonly do: 'read' | 'clear' | 'isEmpty' }
  | { readonly do: 'get' | 'has' | 'delete'; readonly name: string }

export interface Outcome {
  readonly cell: Cell
  readonly answer: unknown
}

export function apply(kind: Kind, rules: Rules, cell: Cell, op: Op, nowMs: number): Outcome {
  const isLiving = ([, { atMs }]: Cell[number]) => atMs + rules.ttlMs > nowMs
  const isVisible = (entry: Cell[number]) => rules.returnsExpired || isLiving(entry)
  const fresh = (value: number): Element => ({ value, atMs: nowMs })
  const put = (name: string, value: number): Cell =>
    cell.filter(isVisible).some(([known]) => known === name)
      ? cell.map((entry) => (entry[0] === name ? [name, fresh(value)] : entry))
      : [...cell.filter(([known]) => known !== name), [name, fresh(value)]]
  /** Each entry that is read by itself: refreshed if it lives, gone if not. */
  const afterRead = (isRead: (name: string) => boolean): Cell =>
    cell
      .filter((entry) => !isRead(entry[0]) || isLiving(entry))
      .map((entry) => (isRead(entry[0]) && rules.refreshesOnRead ? [entry[0], fresh(entry[1].value)] : entry))

  switch (op.do) {
    case 'clear':
      return { cell: [], answer: undefined }
    case 'append':
      return { cell: [...cell, ['', fresh(op.value)]], answer: undefined }
    case 'write': {
      if (kind === 'list') return { cell: [op.value, op.value + 1].map((n) => ['', fresh(n)]), answer: undefined }
      if (kind === 'value' || kind === 'map')
        return { cell: put(kind === 'map' ? op.name : '', op.value), answer: undefined }
      const before = cell.filter(isVisible)[0]?.[1].value ?? 0
      return { cell: [['', fresh(before + op.value)]], answer: undefined }
    }
    case 'isEmpty':
      return { cell, answer: !cell.some(isVisible) }
    case 'get':
    case 'has': {
      const found = cell.filter(isVisible).find(([name]) => name === op.name)
      return {
        cell: afterRead((name) => name === op.name),
        answer: op.do === 'has' ? found !== undefined : found?.[1].value,
      }
    }
    case 'delete': {
      const wasVisible = cell.filter(isVisible).some(([name]) => name === op.name)
      return { cell: cell.filter(([name]) => name !== op.name), answer: wasVisible }
    }
    case 'read': {
      const answer = cell.filter(isVisible).map(([name, { value }]) => [name, value])
      // A list loses expired elements when all have, or when reading rewrites it.
      if (kind === 'list' && cell.some(isLiving) && !rules.refreshesOnRead) return { cell, answer }
      return { cell: afterRead(() => true), answer }
    }
    default:
      return op satisfies never
  }
}

/** What a snapshot leaves of a cell that leaves out what has expired. */
export function living(rules: Rules, cell: Cell, nowMs: number): Cell {
  return cell.filter(([, { atMs }]) => atMs + rules.ttlMs > nowMs)
}
