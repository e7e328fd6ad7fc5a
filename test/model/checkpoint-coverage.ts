/** Which transitions of a chart a walk did not take. Transitions without an event are left to the orders they give. */
import type { AnyStateMachine, AnyStateNode } from 'xstate'
import type { Walk } from './explore.ts'

export function uncoveredTransitions<Machine extends AnyStateMachine>(
  machine: Machine,
  ...walks: readonly Walk<Machine>[]
): readonly string[] {
  const taken = new Set<unknown>()
  for (const { edges } of walks)
    for (const { before, fact } of edges)
      for (const transition of machine.getTransitionData(before as never, fact)) taken.add(transition)
  return nodes(machine.root).flatMap((node) =>
    [...node.transitions].flatMap(([event, transitions]) =>
      transitions.flatMap((transition, index) => (taken.has(transition) ? [] : [`${node.id} on ${event} [${index}]`])),
    ),
  )
}

function nodes(node: AnyStateNode): readonly AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(nodes)]
}
