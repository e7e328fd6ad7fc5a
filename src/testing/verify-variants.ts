/** The ways in which a verification runs an operator. All must come to the same. */

export interface Variant {
  /** For messages: `restored after every item`. */
  readonly name: string
  /** All items at once lie before the operator as far as they can, or each by itself. */
  readonly feeding: 'itemByItem' | 'allAtOnce'
  /** The output is full behind every second record, and is emptied when the operator stands still. */
  readonly outputFull: boolean
  readonly after: AfterItem
  /** Of the instance that is made for this item. */
  readonly parallelism: (step: number) => number
}

/**
 * What happens behind every item. `snapshot`: one is taken, and the operator goes on. `restore`: and a new one goes on from
 * it. `replay`: a new one goes on from the snapshot before the item and gets it again; what the first made of it is lost.
 */
export type AfterItem = 'nothing' | 'snapshot' | 'restore' | 'replay'

const one = () => 1

export const REFERENCE: Variant = {
  name: 'item by item',
  feeding: 'itemByItem',
  outputFull: false,
  after: 'nothing',
  parallelism: one,
}

export const VARIANTS: readonly Variant[] = [
  { ...REFERENCE, name: 'all at once', feeding: 'allAtOnce' },
  { ...REFERENCE, name: 'item by item, with an output that is full every second time', outputFull: true },
  {
    ...REFERENCE,
    name: 'all at once, with an output that is full every second time',
    feeding: 'allAtOnce',
    outputFull: true,
  },
  { ...REFERENCE, name: 'with a snapshot after every item', after: 'snapshot' },
  { ...REFERENCE, name: 'restored after every item', after: 'restore' },
  {
    ...REFERENCE,
    name: 'restored after every item, with an output that is full every second time',
    after: 'restore',
    outputFull: true,
  },
  { ...REFERENCE, name: 'failed behind every item and restored from before it', after: 'replay' },
]

/** For operators whose records go by key: what a key comes to does not depend on where it is. */
export const KEYED_VARIANTS: readonly Variant[] = [
  { ...REFERENCE, name: 'in three subtasks', parallelism: () => 3 },
  {
    ...REFERENCE,
    name: 'restored after every item with another parallelism',
    after: 'restore',
    parallelism: (step) => [1, 3, 2, 5][step % 4] as number,
  },
]
