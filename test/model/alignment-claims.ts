/** What must hold of every subtask's alignment, whatever its mode: claims over one path, replayed against the real host. */
import { type AlignmentFact, type AlignmentOrder, INPUT_END_OF_STREAM } from '#machines/alignment-vocabulary'
import { type Bounds, type SeenStep, SlowTask, timedId } from './alignment-environment.ts'
import { inWords } from './explore.ts'

/** A sentence, and whether it is broken by this path. */
export type Claims = Readonly<Record<string, (path: readonly SeenStep[]) => boolean>>

/** As explored: where the chart alone stands after the fact, and what it ordered. */
interface Edge {
  readonly path: readonly AlignmentFact[]
  readonly fact: AlignmentFact
  readonly after: { readonly value: unknown; readonly context: unknown }
  readonly orders: readonly AlignmentOrder[]
}

/**
 * Replays every edge, with the path that leads to it, against a host of its own. Gives back what is wrong, in words: a
 * broken claim, a host that stands elsewhere than the chart, an order that was not obeyed.
 */
export async function replayEdges(
  mode: 'EXACTLY_ONCE' | 'AT_LEAST_ONCE',
  bounds: Bounds,
  edges: readonly Edge[],
  claims: Claims,
): Promise<readonly string[]> {
  const wrong: string[] = []
  for (const edge of edges) {
    const task = new SlowTask(mode, bounds)
    for (const fact of edge.path) await task.perform(fact)
    await task.perform(edge.fact)
    const found = [
      ...Object.entries(claims).flatMap(([sentence, breaks]) => (breaks(task.seen) ? [sentence] : [])),
      ...deviations(task, edge),
    ]
    if (found.length > 0) wrong.push(`${found.join('; ')}:\n${inWords([...edge.path, edge.fact])}`)
  }
  return wrong
}

function deviations(task: SlowTask, edge: Edge): readonly string[] {
  const { value, context } = task.host.snapshot()
  const here = JSON.stringify({ value, context })
  const there = JSON.stringify({ value: edge.after.value, context: edge.after.context })
  const obeyed = JSON.stringify(task.seen.at(-1)?.orders)
  const ordered = JSON.stringify(edge.orders.filter(({ type }) => type !== 'armTimeout' && type !== 'disarmTimeout'))
  const timed = value !== 'closed' && timedId(edge.after.context as { readonly pending?: unknown }) !== undefined
  return [
    ...(here === there ? [] : ['the host stands elsewhere than the chart']),
    ...(obeyed === ordered ? [] : ['an order was not obeyed']),
    ...(task.timed === timed ? [] : ['the timer runs although none is wanted, or does not run']),
  ]
}

export const claimsOfEveryMode: Claims = {
  'a snapshot is taken at most once per id, and ids only rise': (path) => {
    const ids = orders(path, 'takeSnapshot').map(({ barrier }) => barrier.checkpointId)
    return ids.some((id, index) => index > 0 && id <= (ids[index - 1] as number))
  },
  'a declined or cancelled id takes no snapshot afterwards': (path) => {
    const all = path.flatMap((step) => step.orders)
    return all.some(
      (order, index) =>
        (order.type === 'abortCheckpoint' || order.type === 'forwardCancellation') &&
        all.slice(index).some((later) => isSnapshotOf(later, order.checkpointId)),
    )
  },
  'an id that the coordinator aborted takes no snapshot afterwards': (path) =>
    path.some(
      ({ fact }, index) =>
        fact.type === 'checkpoint.aborted' &&
        path.slice(index).some((step) => step.orders.some((order) => isSnapshotOf(order, fact.checkpointId))),
    ),
  'the barrier leaves right before its snapshot is taken, once the operators are prepared': (path) =>
    path.some(({ fact, orders }) =>
      orders.some((order, index) => {
        if (order.type === 'forwardBarrier') {
          const next = orders.slice(index + 1).find(({ type }) => type !== 'startCapture')
          return !isSnapshotOf(next, order.barrier.checkpointId)
        }
        if (order.type !== 'takeSnapshot') return false
        return fact.type !== 'operators.prepared' || fact.checkpointId !== order.barrier.checkpointId
      }),
    ),
  'the lanes stand still exactly while an answer is awaited, and for good once the input is closed': (path) =>
    path.some(
      ({ permission, waitsFor }, index) => permission.standstill !== (waitsFor !== undefined || closed(path, index)),
    ),
  'every measurement ends before the next begins': (path) => measured(path) === 'tangled',
  'the end of a channel never declines the savepoint that stops the job': (path) =>
    path.some(({ fact }) => fact.type === 'barrier.arrived' && fact.barrier.kind === 'synchronousSavepoint') &&
    orders(path, 'abortCheckpoint').some(({ reason }) => reason === INPUT_END_OF_STREAM),
  'a closed subtask orders nothing': (path) =>
    path.some((step, index) => closed(path, index) && step.orders.length > 0),
}

/** Of charts that overtake nothing. */
export const claimsOfAligning: Claims = {
  ...claimsOfEveryMode,
  'every measurement ends before its snapshot': (path) =>
    path.some(({ orders }, index) => {
      const [due] = orders.flatMap((order) => (order.type === 'prepareOperators' ? [order.barrier.checkpointId] : []))
      return due !== undefined && measured(path.slice(0, index + 1)) === due
    }),
}

/** Which checkpoint is measured at the end of the path; 'tangled': a measurement began or ended within another. */
export function measured(path: readonly SeenStep[]): number | undefined | 'tangled' {
  let now: number | undefined
  for (const order of path.flatMap((step) => step.orders)) {
    if (order.type === 'startMeasuring') {
      if (now !== undefined) return 'tangled'
      now = order.checkpointId
    }
    if (order.type === 'endMeasuring') {
      if (now !== order.checkpointId) return 'tangled'
      now = undefined
    }
  }
  return now
}

export function isSnapshotOf(order: AlignmentOrder | undefined, checkpointId: number): boolean {
  return order?.type === 'takeSnapshot' && order.barrier.checkpointId === checkpointId
}

export function orders<Type extends AlignmentOrder['type']>(path: readonly SeenStep[], type: Type) {
  return path
    .flatMap((step) => step.orders)
    .filter((order): order is Extract<AlignmentOrder, { readonly type: Type }> => order.type === type)
}

function closed(path: readonly { readonly fact: AlignmentFact }[], index: number): boolean {
  return path.slice(0, index + 1).some(({ fact }) => fact.type === 'input.closed')
}
