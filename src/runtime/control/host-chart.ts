/**
 * Hosts one chart: sends it facts one at a time, turns its state into permission, then has its orders obeyed.
 * The only place that makes xstate actors. It decides nothing.
 */
import {
  type AnyStateMachine,
  createActor,
  type EmittedFrom,
  type EventFromLogic,
  type InputFrom,
  type SnapshotFrom,
} from 'xstate'
import { textOf } from './text-of.ts'

export interface ChartHost<Machine extends AnyStateMachine> {
  readonly id: string
  /** Registered first, started after: facts sent before `start` wait. */
  start(): void
  /** Returns when the fact, and every fact that arose from it here, is dealt with; at once when one is being dealt with. */
  send(fact: EventFromLogic<Machine>): void
  snapshot(): SnapshotFrom<Machine>
  /** Facts are dropped from now on. */
  stop(): void
}

export interface ChartHosting<Machine extends AnyStateMachine> {
  /** A path that names the chart in pictures and journals: `job/count-0#1/alignment`. */
  readonly id: string
  readonly input: InputFrom<Machine>
  /** One assignment into the plain object that a loop reads. Called before the orders of the same fact. */
  permit?(snapshot: SnapshotFrom<Machine>): void
  /** Does what the chart orders. Must not throw for a reason of the outside world: that is a fact. */
  obey(order: EmittedFrom<Machine>): void
  /** The chart or its host is broken (a defect, never a fact of the outside world). No further fact is taken. */
  failed(cause: Error): void
  readonly tap?: ChartTap | undefined
}

/** Watches charts: pictures, journals, coverage. A throw of it is dropped: watching must not change what is watched. */
export interface ChartTap {
  started?(chart: { readonly id: string; readonly machine: string; readonly value: unknown }): void
  stepped(step: ChartStep): void
}

export interface ChartStep {
  readonly id: string
  readonly machine: string
  readonly fact: { readonly type: string }
  readonly value: unknown
  readonly orders: readonly { readonly type: string }[]
}

export function hostChart<Machine extends AnyStateMachine>(
  machine: Machine,
  hosting: ChartHosting<Machine>,
): ChartHost<Machine> {
  type Fact = EventFromLogic<Machine>
  type Order = EmittedFrom<Machine>
  const actor = createActor(machine as AnyStateMachine, { id: hosting.id, input: hosting.input })
  let orders: Order[] = []
  const facts: Fact[] = []
  let phase: 'registered' | 'idle' | 'busy' | 'stopped' = 'registered'

  actor.on('*', (order) => void orders.push(order as Order))
  actor.subscribe({ error: (thrown) => fail(thrown) })

  const fail = (thrown: unknown) => {
    if (phase === 'stopped') return
    phase = 'stopped'
    facts.length = 0
    hosting.failed(thrown instanceof Error ? thrown : new Error(textOf(thrown)))
  }

  const watch = (act: (tap: ChartTap) => void) => {
    if (hosting.tap === undefined) return
    try {
      act(hosting.tap)
    } catch {
      // A watcher that throws must not change what it watches.
    }
  }

  const settle = (fact: Fact | undefined) => {
    const snapshot = actor.getSnapshot()
    if (snapshot.status === 'error') return fail((snapshot as { error: unknown }).error)
    hosting.permit?.(snapshot as SnapshotFrom<Machine>)
    const taken = orders
    orders = []
    if (fact !== undefined)
      watch((tap) =>
        tap.stepped({
          id: hosting.id,
          machine: machine.id,
          fact,
          value: snapshot.value,
          orders: taken as { type: string }[],
        }),
      )
    for (const order of taken) hosting.obey(order)
    // A chart in a final state hears nothing more.
    if (snapshot.status === 'done') phase = 'stopped'
  }

  const run = () => {
    if (phase !== 'idle') return
    phase = 'busy'
    try {
      for (let fact = facts.shift(); fact !== undefined; fact = facts.shift()) {
        actor.send(fact)
        settle(fact)
      }
    } catch (thrown) {
      fail(thrown)
    }
    if (phase === 'busy') phase = 'idle'
  }

  return {
    id: hosting.id,
    start() {
      if (phase !== 'registered') return
      phase = 'busy'
      try {
        actor.start()
        watch((tap) => tap.started?.({ id: hosting.id, machine: machine.id, value: actor.getSnapshot().value }))
        settle(undefined)
      } catch (thrown) {
        fail(thrown)
      }
      if (phase === 'busy') phase = 'idle'
      run()
    },
    send(fact) {
      if (phase === 'stopped') return
      facts.push(fact)
      run()
    },
    snapshot: () => actor.getSnapshot() as SnapshotFrom<Machine>,
    stop() {
      phase = 'stopped'
      facts.length = 0
      actor.stop()
    },
  }
}
