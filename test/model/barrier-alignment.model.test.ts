/** The aligned exactly-once chart, walked completely within bounds; every edge replayed against the real host. */
import { describe, expect, test } from 'vitest'
import { barrierAlignment } from '#machines/barrier-alignment'
import { type Claims, claimsOfAligning, orders, replayEdges } from './alignment-claims.ts'
import { alignmentFacts, type Bounds, surroundings } from './alignment-environment.ts'
import { explore, unusedTransitions } from './explore.ts'

const claims: Claims = {
  ...claimsOfAligning,
  'a channel is held only after its own barrier, and while another channel is awaited': (path) => {
    const last = path.at(-1)
    if (last === undefined) return false
    const { held } = last.permission
    return (
      held.some((now, channel) => {
        const fact = path.findLast((step) => 'channel' in step.fact && step.fact.channel === channel)?.fact
        return now && fact?.type !== 'barrier.arrived'
      }) ||
      (held.length > 0 && held.every((now) => now))
    )
  },
  'once all barriers are here no channel is held': (path) =>
    path.some(({ permission, waitsFor }) => waitsFor !== undefined && permission.held.some((held) => held)),
  'downstream gets the barrier of an id or its cancellation, never both and never twice': (path) => {
    const sent = path.flatMap(({ orders }) =>
      orders.flatMap((order) =>
        order.type === 'forwardBarrier'
          ? [order.barrier.checkpointId]
          : order.type === 'forwardCancellation'
            ? [order.checkpointId]
            : [],
      ),
    )
    return new Set(sent).size !== sent.length
  },
  'no id is declined twice': (path) => {
    const ids = orders(path, 'abortCheckpoint').map(({ checkpointId }) => checkpointId)
    return new Set(ids).size !== ids.length
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
  walk: explore(barrierAlignment, {
    input: bound,
    environment: surroundings(bound),
    facts: alignmentFacts(bound),
    limit: 20_000,
  }),
}))

describe('the barrier alignment of a subtask', () => {
  test.each(walks)('keeps every claim on every edge: $name', async ({ bound, walk }) => {
    const wrong = await replayEdges('EXACTLY_ONCE', bound, walk.edges, claims)
    expect(wrong.slice(0, 3).join('\n\n')).toBe('')
  })

  test('keeps nothing that cannot matter any more', () => {
    for (const { value, context } of walks.flatMap(({ walk }) => walk.states)) {
      expect(context.aborted.every((id) => id >= context.current)).toBe(true)
      if (value === 'waiting') expect([context.due, context.deferred]).toEqual([null, []])
    }
  })

  test('leaves no transition of the chart untried', () => {
    const edges = walks.flatMap(({ walk }) => walk.edges)
    expect(unusedTransitions(barrierAlignment, edges)).toEqual([])
    expect(edges.length).toBeGreaterThan(5_000)
  })

  test('is not taken for the at-least-once alignment (negative control)', async () => {
    const { bound, walk } = walks[0] as (typeof walks)[number]
    const wrong = await replayEdges('AT_LEAST_ONCE', bound, walk.edges.slice(0, 100), claims)
    expect(wrong.length).toBeGreaterThan(10)
  })
})
