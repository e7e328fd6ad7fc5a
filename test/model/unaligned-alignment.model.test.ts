/** The chart of alignments that may become unaligned, walked completely within bounds; every edge replayed against the real host. */
import { describe, expect, test } from 'vitest'
import type { Barrier } from '#machines/alignment-vocabulary'
import { unalignedAlignment } from '#machines/unaligned-alignment'
import { type Claims, claimsOfEveryMode, measured, orders, replayEdges } from './alignment-claims.ts'
import { alignmentFacts, type Bounds, type SeenStep, surroundings } from './alignment-environment.ts'
import { explore, unusedTransitions } from './explore.ts'

const claims: Claims = {
  ...claimsOfEveryMode,
  'a channel is held only after its own barrier, which came in its place, and while another channel is awaited': (
    path,
  ) => {
    const last = path.at(-1)
    if (last === undefined) return false
    const { held } = last.permission
    return (
      held.some((now, channel) => now && modeOfLast(path, channel) === undefined) ||
      held.some((now, channel) => now && modeOfLast(path, channel) === 'unaligned') ||
      (held.length > 0 && held.every((now) => now) && last.waitsFor === undefined)
    )
  },
  'downstream gets a barrier and a cancellation of an id at most once, and never the barrier last': (path) => {
    const all = path.flatMap((step) => step.orders)
    const barriers = orders(path, 'forwardBarrier').map(({ barrier }) => barrier.checkpointId)
    const cancellations = orders(path, 'forwardCancellation').map(({ checkpointId }) => checkpointId)
    return (
      new Set(barriers).size !== barriers.length ||
      new Set(cancellations).size !== cancellations.length ||
      all.some(
        (order, index) =>
          order.type === 'forwardCancellation' &&
          all
            .slice(index)
            .some((later) => later.type === 'forwardBarrier' && later.barrier.checkpointId === order.checkpointId),
      )
    )
  },
  'no id is declined twice': (path) => {
    const ids = orders(path, 'abortCheckpoint').map(({ checkpointId }) => checkpointId)
    return new Set(ids).size !== ids.length
  },
  'a capture begins right before its own snapshot, and that snapshot is unaligned': (path) =>
    path.some(({ orders }) =>
      orders.some((order, index) => {
        const next = orders[index + 1]
        return (
          order.type === 'startCapture' &&
          !(
            next?.type === 'takeSnapshot' &&
            next.barrier.checkpointId === order.checkpointId &&
            next.barrier.mode === 'unaligned'
          )
        )
      }),
    ),
  'a capture is finished or dropped before the next begins, and runs only while its checkpoint is followed': (path) => {
    const open = openCapture(path)
    return open === 'tangled' || (open !== undefined && path.at(-1)?.pendingIds.includes(open) !== true)
  },
  'of a finished capture every channel ended exactly once': (path) =>
    orders(path, 'finishCapture').some(({ checkpointId }) => {
      const started = orders(path, 'startCapture').find((order) => order.checkpointId === checkpointId)
      const open = started?.channels.flatMap(({ channel, upTo }) => (upTo === null ? [channel] : [])) ?? []
      const ended = orders(path, 'endChannelCapture').flatMap((order) =>
        order.checkpointId === checkpointId ? [order.channel] : [],
      )
      return JSON.stringify(open) !== JSON.stringify(ended.toSorted())
    }),
  'a channel whose barrier came in its place before the capture, or which had ended, is not captured': (path) =>
    path.some(({ orders }, index) =>
      orders.some(
        (order) =>
          order.type === 'startCapture' &&
          order.channels.some(({ channel }) =>
            path
              .slice(0, index)
              .some(
                ({ fact, waitsFor }) =>
                  waitsFor === undefined &&
                  'channel' in fact &&
                  fact.channel === channel &&
                  (fact.type === 'partition.ended' ||
                    (fact.type === 'barrier.arrived' &&
                      fact.barrier.checkpointId === order.checkpointId &&
                      fact.barrier.mode !== 'unaligned')),
              ),
          ),
      ),
    ),
  'a barrier that overtook ends the capture of its channel at its place': (path) =>
    [...orders(path, 'endChannelCapture'), ...orders(path, 'startCapture').flatMap(spread)].some(
      ({ checkpointId, upTo }) => upTo !== null && upTo !== 10 * checkpointId,
    ),
  'no savepoint is unaligned': (path) =>
    orders(path, 'takeSnapshot').some(({ barrier }) => barrier.kind !== 'checkpoint' && barrier.mode !== 'aligned'),
  'a barrier never leaves as one that was forced to be aligned': (path) =>
    orders(path, 'forwardBarrier').some(({ barrier }) => barrier.mode === 'forcedAligned'),
  'what the coordinator gave up is not followed when the subtask goes on': (path) => {
    const last = path.at(-1)
    if (last === undefined || last.permission.standstill) return false
    return path.some(({ fact }) => fact.type === 'checkpoint.aborted' && last.pendingIds.includes(fact.checkpointId))
  },
  'what is measured is what is followed': (path) => {
    const id = measured(path)
    return id !== undefined && path.at(-1)?.pendingIds.includes(id as number) !== true && !closedAtEnd(path)
  },
}

function modeOfLast(path: readonly SeenStep[], channel: number): Barrier['mode'] | undefined {
  const fact = path.findLast(
    (step) => 'channel' in step.fact && step.fact.channel === channel && step.fact.type !== 'announcement.arrived',
  )?.fact
  return fact?.type === 'barrier.arrived' ? fact.barrier.mode : undefined
}

/** Of which checkpoint records are captured at the end of the path; 'tangled': starts and ends do not match. */
function openCapture(path: readonly SeenStep[]): number | undefined | 'tangled' {
  let open: number | undefined
  for (const order of path.flatMap((step) => step.orders)) {
    if (order.type === 'startCapture') {
      if (open !== undefined) return 'tangled'
      open = order.checkpointId
    }
    if (order.type === 'finishCapture' || order.type === 'dropCapture') {
      if (open !== order.checkpointId) return 'tangled'
      open = undefined
    }
  }
  return closedAtEnd(path) ? undefined : open
}

function spread({ checkpointId, channels }: ReturnType<typeof orders<'startCapture'>>[number]) {
  return channels.map(({ upTo }) => ({ checkpointId, upTo }))
}

function closedAtEnd(path: readonly SeenStep[]): boolean {
  return path.at(-1)?.fact.type === 'input.closed'
}

const finishing = { checkpointsAfterTasksFinish: true, alignedTimeoutMs: 10 } as const
const timeoutable = ['timeoutable'] as const
const unaligned = ['unaligned'] as const
const aligned = ['aligned'] as const
const forced = ['forcedAligned'] as const
const bounds: Readonly<Record<string, Bounds>> = {
  'two channels that are unaligned from the start': {
    ...finishing,
    alignedTimeoutMs: 0,
    channels: 2,
    ids: [1, 2],
    modes: [unaligned, unaligned],
    aborts: true,
  },
  'three channels, unaligned, in place and forced': {
    ...finishing,
    channels: 3,
    ids: [1],
    modes: [unaligned, timeoutable, forced],
  },
  'two channels with a timeout': { ...finishing, channels: 2, ids: [1, 2], modes: [timeoutable, timeoutable] },
  'two channels with a timeout, one forced to be aligned, facts in time and late': {
    ...finishing,
    channels: 2,
    ids: [1],
    modes: [timeoutable, forced],
    late: true,
    aborts: true,
  },
  'two channels with a timeout, an end aborts': {
    ...finishing,
    checkpointsAfterTasksFinish: false,
    channels: 2,
    ids: [1],
    modes: [timeoutable, timeoutable],
    late: true,
  },
  'two channels with a timeout, a savepoint stops the job': {
    ...finishing,
    checkpointsAfterTasksFinish: false,
    channels: 2,
    ids: [1],
    kind: 'synchronousSavepoint',
    modes: [aligned, aligned],
    late: true,
    aborts: true,
  },
  'one channel, the coordinator triggers': {
    ...finishing,
    channels: 1,
    ids: [1, 2],
    modes: [timeoutable],
    triggers: true,
  },
  'one channel, the coordinator aborts': { ...finishing, channels: 1, ids: [1, 2], modes: [timeoutable], aborts: true },
  'two channels, the coordinator triggers': {
    ...finishing,
    channels: 2,
    ids: [1, 2],
    modes: [unaligned, aligned],
    triggers: true,
  },
  'a source': { ...finishing, channels: 0, ids: [1, 2], modes: [], aborts: true, triggers: true },
  'channels that deliver one more': {
    ...finishing,
    channels: 2,
    ids: [1, 2],
    modes: [unaligned, unaligned],
    unruly: true,
  },
  'channels that announce one more': {
    ...finishing,
    channels: 2,
    ids: [1],
    modes: [timeoutable, timeoutable],
    unruly: true,
  },
}

const walks = Object.entries(bounds).map(([name, bound]) => ({
  name,
  bound,
  walk: explore(unalignedAlignment, {
    input: bound,
    environment: surroundings(bound),
    facts: alignmentFacts(bound),
    limit: 20_000,
  }),
}))

describe('the alignment of a subtask whose barriers may overtake', () => {
  test.each(walks)('keeps every claim on every edge: $name', async ({ bound, walk }) => {
    const wrong = await replayEdges('EXACTLY_ONCE', bound, walk.edges, claims)
    expect(wrong.slice(0, 3).join('\n\n')).toBe('')
  })

  test('keeps nothing that cannot matter any more', () => {
    for (const { value, context } of walks.flatMap(({ walk }) => walk.states)) {
      expect(context.aborted.every((id) => id >= context.current)).toBe(true)
      if (value === 'aligned' || value === 'snapshotting' || value === 'closed') continue
      expect([context.due, context.deferred]).toEqual([null, []])
      if (context.pending === null)
        expect([value, ...context.held]).toEqual(['waiting', ...context.held.map(() => false)])
    }
  })

  test('leaves no transition of the chart untried', () => {
    const edges = walks.flatMap(({ walk }) => walk.edges)
    expect(unusedTransitions(unalignedAlignment, edges)).toEqual([])
    expect(edges.length).toBeGreaterThan(5_000)
  })

  test('is not taken for an alignment that overtakes nothing (negative control)', async () => {
    const { bound, walk } = walks[0] as (typeof walks)[number]
    const first = walk.edges.filter(({ path, fact }) => path.length === 0 && fact.type === 'barrier.arrived')
    const wrong = await replayEdges('EXACTLY_ONCE', { ...bound, modes: undefined }, first, claims)
    expect(wrong).toHaveLength(4)
  })
})
