/**
 * Walks a chart completely: every state that a bounded environment can reach, and every fact that it can send there.
 * The chart alone is walked, by its pure transition function; what its host makes of a path is for the test to replay.
 */
import {
  type ActorLogic,
  type AnyStateMachine,
  type AnyStateNode,
  type EmittedFrom,
  type EventFromLogic,
  type InputFrom,
  initialTransition,
  type Snapshot,
  type SnapshotFrom,
  transition,
} from 'xstate'
import { type AdjacencyMap, getAdjacencyMap } from 'xstate/graph'

export interface Exploration<Machine extends AnyStateMachine, Environment> {
  readonly input: InputFrom<Machine>
  /** Plain JSON: what has been sent already, where that decides what may be sent next (FIFO channels, used ids). */
  readonly environment: Environment
  /** What the environment may send now, and what it is afterwards. Must run dry, or `limit` ends the walk. */
  facts(snapshot: SnapshotFrom<Machine>, environment: Environment): readonly Move<Machine, Environment>[]
  /** The walk throws when it would look at more edges than this. */
  readonly limit: number
  /**
   * What makes two states the same; by default the chart's value and context and the environment. Give one to forget
   * what does not matter (ids by rank, times by order), else a chart that counts has no end.
   */
  identity?(snapshot: SnapshotFrom<Machine>, environment: Environment): string
}

export interface Move<Machine extends AnyStateMachine, Environment> {
  readonly fact: EventFromLogic<Machine>
  readonly environment: Environment
}

export interface ExploredEdge<Machine extends AnyStateMachine> {
  /** A shortest list of facts that leads to `before`. */
  readonly path: readonly EventFromLogic<Machine>[]
  readonly before: SnapshotFrom<Machine>
  readonly fact: EventFromLogic<Machine>
  readonly after: SnapshotFrom<Machine>
  /** What the chart ordered on this edge, in order. */
  readonly orders: readonly EmittedFrom<Machine>[]
}

export interface Walk<Machine extends AnyStateMachine> {
  readonly states: readonly SnapshotFrom<Machine>[]
  readonly edges: readonly ExploredEdge<Machine>[]
}

export function explore<Machine extends AnyStateMachine, Environment>(
  machine: Machine,
  exploration: Exploration<Machine, Environment>,
): Walk<Machine> {
  type Fact = EventFromLogic<Machine>
  type Chart = SnapshotFrom<Machine>
  type Place = Snapshot<undefined> & {
    readonly chart: Chart
    readonly environment: Environment
    readonly orders: readonly EmittedFrom<Machine>[]
  }
  type Step = { readonly type: 'step'; readonly fact: Fact; readonly environment: Environment }

  const place = (chart: unknown, actions: readonly unknown[], environment: Environment): Place => ({
    status: 'active',
    output: undefined,
    error: undefined,
    chart: chart as Chart,
    environment,
    orders: (actions as { type: string; params: unknown }[])
      .filter((action) => action.type === 'xstate.emit')
      .map((action) => (action.params as { event: EmittedFrom<Machine> }).event),
  })
  const chartAndEnvironment: ActorLogic<Place, Step, undefined> = {
    getInitialSnapshot: () =>
      place(...initialTransition(machine as AnyStateMachine, exploration.input), exploration.environment),
    transition: (before, step) => {
      const [chart, actions] = transition(machine as AnyStateMachine, before.chart as never, step.fact)
      if (chart.status === 'error') throw (chart as { error: unknown }).error
      return place(chart, actions, step.environment)
    },
    getPersistedSnapshot: (snapshot) => snapshot,
  }
  const identity =
    exploration.identity ?? (({ value, context }, environment) => JSON.stringify({ value, context, environment }))
  // Not a number, whatever the identity is: an object lists numeric keys first.
  const key = ({ chart, environment }: Place) => `=${identity(chart, environment)}`

  const map: AdjacencyMap<Place, Step> = getAdjacencyMap(chartAndEnvironment, {
    limit: exploration.limit,
    serializeState: key,
    serializeEvent: (step) => JSON.stringify(step),
    events: ({ chart, environment }) =>
      (chart as Snapshot<unknown>).status === 'active'
        ? exploration.facts(chart, environment).map((move): Step => ({ type: 'step', ...move }))
        : [],
  })

  // The map is made breadth first, so the first edge into a state ends a shortest path to it.
  const places = Object.entries(map)
  const paths = new Map<string, readonly Fact[]>(places.slice(0, 1).map(([start]) => [start, []]))
  const edges: ExploredEdge<Machine>[] = []
  for (const [from, { state, transitions }] of places) {
    const path = paths.get(from) as readonly Fact[]
    for (const { event, state: after } of Object.values<{ event: Step; state: Place }>(transitions)) {
      if (!paths.has(key(after))) paths.set(key(after), [...path, event.fact])
      edges.push({ path, before: state.chart, fact: event.fact, after: after.chart, orders: after.orders })
    }
  }
  return { states: places.map(([, { state }]) => state.chart), edges }
}

/**
 * Transitions on facts that no edge takes, as `state: fact → target`; empty when the walks cover the chart. Of several
 * candidates of one fact each counts. (Eventless transitions are not listed: every edge runs through them.)
 */
export function unusedTransitions<Machine extends AnyStateMachine>(
  machine: Machine,
  edges: readonly ExploredEdge<Machine>[],
): readonly string[] {
  const used = new Set<unknown>(
    edges.flatMap(({ before, fact }) => (machine as AnyStateMachine).getTransitionData(before as never, fact)),
  )
  return nodes(machine.root)
    .flatMap((node) => [...node.transitions.values()].flat())
    .filter((candidate) => !used.has(candidate))
    .map(({ source, eventType, target }) => `${source.key}: ${eventType} → ${target?.[0]?.key ?? source.key}`)
}

function nodes(node: AnyStateNode): readonly AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap((child) => nodes(child))]
}

/** A path in words, for the message of a failed check. */
export function inWords(facts: readonly { readonly type: string }[]): string {
  return facts
    .map(({ type, ...rest }) => `${type} ${JSON.stringify(rest)}`.replace(' {}', ''))
    .map((fact, index) => `${index + 1}. ${fact}`)
    .join('\n')
}
