/** Which states of a chart a walk never stood in: each of them is either dead or not looked at. */
import type { AnyStateMachine, AnyStateNode } from 'xstate'
import type { ExploredEdge } from './explore.ts'

/** Ids of states, empty when all were reached. A state that is left at once, by `always`, does not count as reached. */
export function neverReached<Machine extends AnyStateMachine>(
  machine: Machine,
  edges: readonly ExploredEdge<Machine>[],
): readonly string[] {
  const reached = new Set<string>()
  for (const { before, after } of edges)
    for (const { _nodes } of [before, after]) for (const { id } of _nodes as readonly AnyStateNode[]) reached.add(id)
  return ids(machine.root).filter((id) => !reached.has(id))
}

const ids = (node: AnyStateNode): readonly string[] => [node.id, ...Object.values(node.states).flatMap(ids)]
