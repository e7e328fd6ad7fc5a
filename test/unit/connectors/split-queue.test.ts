/** The queue of a fixed set of splits: each comes once, also where there are very many. */
import { expect, test } from 'vitest'
import { splitQueue } from '../../../src/connectors/split-queue.ts'
import type { SourceSplit, SplitEnumeratorContext } from '../../../src/operators/source.ts'

function context() {
  const assigned: string[] = []
  const told: number[] = []
  const queue: Pick<SplitEnumeratorContext<SourceSplit>, 'assignSplits' | 'signalNoMoreSplits'> = {
    assignSplits: (_, splits) => void assigned.push(...splits.map(({ id }) => id)),
    signalNoMoreSplits: (subtask) => void told.push(subtask),
  }
  return { assigned, told, context: queue as SplitEnumeratorContext<SourceSplit> }
}

const splitsOf = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `${index}` }))
const idsOf = (splits: readonly SourceSplit[] | undefined) => splits?.map(({ id }) => id)

test('Fifty thousand splits are dealt out without making a list of the rest for each', () => {
  const { assigned, told, context: of } = context()
  const queue = splitQueue({ context: of, restored: undefined, find: () => splitsOf(50_000) })
  queue.start()
  for (let request = 0; request <= 50_000; request++) queue.handleSplitRequest(0)
  expect(assigned).toHaveLength(50_000)
  expect(told).toEqual([0])
})

test('What was dealt out is in no snapshot, and what is given back comes first', async () => {
  const { assigned, context: of } = context()
  const queue = splitQueue({ context: of, restored: undefined, find: () => splitsOf(4) })
  expect(await queue.snapshotState(1)).toEqual({ unassigned: undefined })
  queue.start()
  queue.handleSplitRequest(0)
  queue.handleSplitRequest(1)
  expect(idsOf((await queue.snapshotState(2)).unassigned)).toEqual(['2', '3'])
  queue.addSplitsBack([{ id: '1' }], 1)
  const state = await queue.snapshotState(3)
  expect(idsOf(state.unassigned)).toEqual(['1', '2', '3'])
  const restored = splitQueue({ context: of, restored: state, find: () => splitsOf(9) })
  restored.start()
  for (let request = 0; request < 4; request++) restored.handleSplitRequest(0)
  expect(assigned).toEqual(['0', '1', '1', '2', '3'])
})
