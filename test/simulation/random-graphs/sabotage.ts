/** Mistakes that are made on purpose, in user code and in what stands around the tasks: random graphs must find each of them. */
import type { Link, TaskOrder } from '../../../src/runtime/link.ts'

export const SABOTAGES = [
  /** A function keeps its counts in a field, not in state. */
  'counts in a field',
  /** A source says that it stands one record further than it does. */
  'source one too far',
  /** A source says that it stands one record before where it does. */
  'source one too near',
  /** What waits in operator state loses a row when the parallelism has changed. */
  'a row lost at another parallelism',
  /** Broadcast state is put on top of itself at a restore. */
  'broadcast state twice',
  /** Of the keyed state that a subtask gets at a restore, the part of one old subtask does not arrive. */
  'keyed state does not arrive',
  /** The same for operator state: offsets, lists, what is to be committed. */
  'operator state does not arrive',
  /** A sink shows what was only prepared. */
  'visible before the commit',
  /** A sink commits again what it has committed. */
  'committed twice',
] as const
export type Sabotage = (typeof SABOTAGES)[number]

/** A link that loses state on the way to the tasks. */
export function losingLink(link: Link, sabotage: Sabotage | undefined): Link {
  const losesKeyed = sabotage === 'keyed state does not arrive'
  if (!losesKeyed && sabotage !== 'operator state does not arrive') return link
  return {
    toTasks: (order) => link.toTasks(order.type === 'deployTasks' ? without(order, losesKeyed) : order),
    toJob: (fact) => link.toJob(fact),
    connect: (ends) => link.connect(ends),
  }
}

function without(order: Extract<TaskOrder, { type: 'deployTasks' }>, losesKeyed: boolean): TaskOrder {
  const restores = order.restores.map((restore) => ({
    ...restore,
    operators: restore.operators.map((operator) =>
      losesKeyed
        ? { ...operator, keyed: operator.keyed.slice(1) }
        : { ...operator, operator: operator.operator.map((handle, nth) => (nth === 0 ? null : handle)) },
    ),
  }))
  return { ...order, restores }
}
