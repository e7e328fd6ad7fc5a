/** Hosts one pending checkpoint: holds its expiry timer and waits for its metadata. Who told what, and what follows, the chart knows. */
import type { CoordinatorFact, PendingStart } from '#machines/checkpoint-coordinator-vocabulary'
import { type PendingFact, type PendingOrder, type Publication, pendingCheckpoint } from '#machines/pending-checkpoint'
import { failureOf } from './checkpoint-failures.ts'
import { begun, type CheckpointWork } from './checkpoint-work.ts'
import { type ChartHost, hostChart } from './host-chart.ts'
import { NamedTimers } from './named-timers.ts'

type WithoutStamps<Fact> = Fact extends unknown ? Omit<Fact, 'atMs' | 'checkpointId'> : never

export interface PendingCheckpoint {
  readonly host: ChartHost<typeof pendingCheckpoint>
  /** Registered first, started after. */
  start(): void
  send(fact: WithoutStamps<PendingFact>): void
  /** Its end is dealt with: facts are dropped from now on, and no timer is left. */
  release(): void
}

export interface PendingCheckpointHosting {
  readonly id: string
  readonly work: CheckpointWork
  /** What the coordinator has to know. */
  tell(fact: CoordinatorFact): void
  failed(cause: Error): void
}

export function hostPendingCheckpoint(start: PendingStart, hosting: PendingCheckpointHosting): PendingCheckpoint {
  const { work, tell } = hosting
  const { checkpointId } = start
  const now = () => work.clock.monotonic()
  const timers = new NamedTimers(work.clock, (name) => send({ type: 'timer.fired', name }))
  const send = (fact: WithoutStamps<PendingFact>) => host.send({ ...fact, checkpointId, atMs: now() } as PendingFact)

  const publish = (publication: Publication) => {
    begun(() => work.publish(publication)).then(
      ({ handle, bytes, path }) => send({ type: 'metadata.published', handle, bytes, path }),
      (thrown: unknown) => send({ type: 'metadata.notPublished', ...finalizeFailure(thrown) }),
    )
  }

  /** Always answered: what could not be deleted is no longer being deleted either. */
  const discard = (what: string, discarding: () => Promise<void>, done: () => void) => {
    begun(discarding)
      .catch((thrown: unknown) => work.logger.warn(`Could not delete ${what}: ${String(thrown)}`))
      .then(done)
  }

  const obey = (order: PendingOrder) => {
    switch (order.type) {
      case 'startTimer':
        return timers.start(order.name, order.delayMs)
      case 'cancelTimer':
        return timers.cancel(order.name)
      case 'answerAcknowledgement':
        return work.acknowledged?.(order)
      case 'discardHandles':
        return discard(
          `state of subtask ${order.task} for checkpoint ${checkpointId}`,
          () => work.discardHandles(order),
          () => {},
        )
      case 'triggerTasksBehind':
        return work.triggerTasksBehind(order)
      case 'reportAcknowledged':
        return tell({ type: 'pending.acknowledged', checkpointId, atMs: now() })
      case 'publishMetadata':
        return publish(order)
      case 'reportCompleted':
        return tell({ ...order, type: 'pending.completed', atMs: now() })
      case 'discardPending':
        return discard(
          `state of checkpoint ${checkpointId}`,
          () => work.discardPending(order),
          () => tell({ type: 'discards.finished', count: 1, atMs: now() }),
        )
      case 'reportAborted':
        return tell({ ...order, type: 'pending.aborted', atMs: now() })
      default:
        return order satisfies never
    }
  }

  const host = hostChart(pendingCheckpoint, {
    id: hosting.id,
    input: start,
    obey,
    failed: hosting.failed,
    ...(work.tap && { tap: work.tap }),
  })
  return {
    host,
    start: () => host.start(),
    send,
    release() {
      timers.cancelAll()
      host.stop()
    },
  }
}

function finalizeFailure(thrown: unknown) {
  const { reason, ...rest } = failureOf(thrown, 'FINALIZE_CHECKPOINT_FAILURE')
  // A disk that refuses the metadata has failed to finalize, not to trigger.
  return { ...rest, reason: reason === 'IO_EXCEPTION' ? 'FINALIZE_CHECKPOINT_FAILURE' : reason }
}
