/** What may be relied on in a stream of a plan, and so which operations it can bear without depending on luck. */
import type { Input, NodePlan, SourcePlan } from './plan.ts'

export interface StreamFacts {
  /** The sources whose splits come in order, row by row, each split by one way. Undefined: rows may overtake. */
  readonly ordered: ReadonlySet<number> | undefined
  /** All of one split, in order. */
  readonly single: boolean
  /** The timestamp of a row is always the same. */
  readonly stamped: boolean
  /** Every row has one, and none is behind a watermark. */
  readonly onTime: boolean
  /** It comes out of one operator, so that `forward` may be legal. */
  readonly direct: boolean
}

const UNORDERED = { ordered: undefined, single: false } as const

export function sourceFacts({ kind, index, splits }: SourcePlan): StreamFacts {
  const isOrdered = kind !== 'sequence' && kind !== 'generator' && kind !== 'lines'
  return {
    ordered: isOrdered ? new Set([index]) : undefined,
    single: isOrdered && splits.length === 1,
    stamped: true,
    onTime: kind === 'splits' || kind === 'generator' || kind === 'json' || kind === 'csv',
    direct: true,
  }
}

/** Rows of one split stay in one channel after the other. */
function keepsOrder({ partitioner }: Input, isDirect: boolean): boolean {
  return (partitioner === 'forward' && isDirect) || partitioner === 'global' || partitioner === 'customKey'
}

/** Of each output of a node with these inputs. */
export function nodeFacts({ operation, inputs }: NodePlan, facts: readonly StreamFacts[]): readonly StreamFacts[] {
  const first = facts[0] as StreamFacts
  const every = {
    ...UNORDERED,
    stamped: facts.every(({ stamped }) => stamped),
    onTime: facts.every(({ onTime }) => onTime),
    direct: true,
  }
  const inOrder = keepsOrder(inputs[0] as Input, first.direct)
  const along = { ...every, ...(inOrder ? { ordered: first.ordered, single: first.single } : {}) }
  const atEnd = { ...UNORDERED, stamped: true, onTime: true, direct: true }
  const counted = { ...UNORDERED, stamped: false, onTime: false, direct: true }
  switch (operation.type) {
    case 'map':
    case 'flatMap':
    case 'filter':
      return [along]
    case 'side':
      return [along, along]
    case 'assign':
      return [{ ...along, stamped: true, onTime: true }]
    case 'chain':
      return [{ ...every, ordered: first.ordered, single: first.single }]
    case 'keyed':
    case 'keyedCo':
      return [operation.emit === 'end' ? atEnd : counted]
    case 'window':
    case 'clockTimers':
    case 'counted':
    case 'keyedBroadcast':
      return [atEnd]
    case 'reduce':
    case 'buffer':
    case 'broadcastState':
      return [counted]
    case 'union':
      return [{ ...every, direct: false, ordered: disjoint(facts) }]
    case 'coMap':
    case 'coFlatMap':
    case 'coProcess':
      return [every]
  }
}

function disjoint(facts: readonly StreamFacts[]): ReadonlySet<number> | undefined {
  const all = new Set<number>()
  let rows = 0
  for (const { ordered } of facts) {
    if (ordered === undefined) return undefined
    for (const source of ordered) all.add(source)
    rows += ordered.size
  }
  return all.size === rows ? all : undefined
}
