/** The at-least-once chart, walked completely within bounds; every edge replayed against the real host. */
import { describe, expect, test } from 'vitest'
import { atLeastOnceAlignment } from '#machines/at-least-once-alignment'
import { type Claims, claimsOfAligning, orders, replayEdges } from './alignment-claims.ts'
import { alignmentFacts, type Bounds, surroundings } from './alignment-environment.ts'
import { explore, unusedTransitions } from './explore.ts'

const claims: Claims = {
  ...claimsOfAligning,
  'no channel is ever held': (path) => path.some(({ permission }) => permission.held.some((held) => held)),
  // A single open channel's own cancellation is always heard, even after its barrier: there Flink declines twice.
  'an id that did not get as far as its snapshot is declined at most once': (path) => {
    const due = orders(path, 'prepareOperators').map(({ barrier }) => barrier.checkpointId)
    const ids = orders(path, 'abortCheckpoint').map(({ checkpointId }) => checkpointId)
    const early = ids.filter((id) => !due.includes(id))
    return new Set(early).size !== early.length
  },
}

const finishing = { checkpointsAfterTasksFinish: true } as const
const bounds: Readonly<Record<string, Bounds>> = {
  'two channels, three ids': { ...finishing, channels: 2, ids: [0, 1, 2] },
  'three channels, two ids': { ...finishing, channels: 3, ids: [1, 2] },
  'two channels, an end aborts': { checkpointsAfterTasksFinish: false, channels: 2, ids: [1, 2, 3] },
  'two channels, a savepoint stops the job': {
    checkpointsAfterTasksFinish: false,
    channels: 2,
    ids: [1],
    kind: 'synchronousSavepoint',
    aborts: true,
  },
  'two channels, the coordinator aborts': { ...finishing, channels: 2, ids: [1, 2], aborts: true },
  'two channels, the coordinator triggers': { ...finishing, channels: 2, ids: [1, 2], triggers: true },
  'a source': { ...finishing, channels: 0, ids: [1, 2, 3], aborts: true, triggers: true },
  'channels that deliver one more': { ...finishing, channels: 2, ids: [1, 2], unruly: true },
}

const walks = Object.entries(bounds).map(([name, bound]) => ({
  name,
  bound,
  walk: explore(atLeastOnceAlignment, {
    input: bound,
    environment: surroundings(bound),
    facts: alignmentFacts(bound),
    limit: 20_000,
  }),
}))

describe('the at-least-once alignment of a subtask', () => {
  test.each(walks)('keeps every claim on every edge: $name', async ({ bound, walk }) => {
    const wrong = await replayEdges('AT_LEAST_ONCE', bound, walk.edges, claims)
    expect(wrong.slice(0, 3).join('\n\n')).toBe('')
  })

  test('follows ids in their order, and keeps nothing that cannot matter any more', () => {
    for (const { value, context } of walks.flatMap(({ walk }) => walk.states)) {
      const ids = context.followed.map(({ checkpointId }) => checkpointId)
      expect(ids).toEqual([...new Set(ids)].sort((one, other) => one - other))
      expect(context.followed.every(({ reached, target }) => reached.length < target)).toBe(true)
      if (value === 'waiting') expect([context.due, context.deferred]).toEqual([null, []])
    }
  })

  test('leaves no transition of the chart untried', () => {
    const edges = walks.flatMap(({ walk }) => walk.edges)
    expect(unusedTransitions(atLeastOnceAlignment, edges)).toEqual([])
    expect(edges.length).toBeGreaterThan(5_000)
  })

  test('is not taken for the exactly-once alignment (negative control)', async () => {
    const { bound, walk } = walks[0] as (typeof walks)[number]
    const wrong = await replayEdges('EXACTLY_ONCE', bound, walk.edges.slice(0, 100), claims)
    expect(wrong.length).toBeGreaterThan(10)
  })
})
