/**
 * The snapshot of one subtask: what its operators hold is frozen between two records, then written beside the records.
 */
import type { Operator } from '../operators/operator.ts'
import type { WrittenChannels } from '../state/channel-state-writer.ts'
import type {
  OperatorSubtaskState,
  SnapshotFormat,
  SnapshotIdentity,
  SnapshotTarget,
  StateHandle,
  StoredHandle,
} from '../state/snapshot.ts'
import type { FrozenKeyedState, KeyedStateBackend } from '../state/state-backend.ts'
import type { Blame } from './blame.ts'
import type { TurnLoop } from './data/turn-loop.ts'
import type { InFlightSnapshot } from './in-flight-snapshot.ts'
import type { OperatorRuntime } from './operator-runtime.ts'
import type { TaskEnvironment } from './task-environment.ts'

export interface FrozenSubtask {
  /** The head of the chain first. */
  readonly operators: readonly FrozenOperator[]
  /** Nothing of it will be written. */
  release(): void
}

interface FrozenOperator {
  readonly name: string
  readonly identity: Omit<SnapshotIdentity, 'kind'>
  readonly keyed: FrozenKeyedState | undefined
  readonly keyGroups: KeyedStateBackend['keyGroups'] | undefined
  readonly operator: Uint8Array | undefined
  /** What the operator itself must do before its state counts: files that become durable. */
  readonly ready: Promise<void> | undefined
  /** Of the head, where barriers overtook records. */
  readonly inFlight: InFlightSnapshot | undefined
}

/** The synchronous part. Throws what an operator or a serializer throws; nothing is left frozen then. */
export function freezeSubtask(
  runtimes: readonly OperatorRuntime[],
  operators: readonly Operator[],
  checkpointId: number,
  format: SnapshotFormat,
  {
    subtask,
    blame,
    inFlight,
  }: { readonly subtask: number; readonly blame: Blame; readonly inFlight?: InFlightSnapshot | undefined },
): FrozenSubtask {
  const frozen: FrozenOperator[] = []
  let freezing = ''
  const release = () => {
    inFlight?.release()
    for (const { keyed } of frozen) keyed?.release()
  }
  try {
    runtimes.forEach((runtime, index) => {
      freezing = runtime.operator.name
      const ready = operators[index]?.snapshotState?.(checkpointId) ?? undefined
      // Perhaps nobody will wait for it.
      if (ready instanceof Promise) ready.catch(() => {})
      const operator = runtime.operatorState?.snapshot()
      frozen.push({
        name: freezing,
        identity: { checkpointId, operatorId: runtime.operator.operatorId, subtask },
        // Last: what is frozen is in the list, and is released.
        keyed: runtime.keyedState?.freeze(checkpointId, format),
        keyGroups: runtime.keyedState?.keyGroups,
        operator,
        ready: ready instanceof Promise ? ready : undefined,
        inFlight: index === 0 ? inFlight : undefined,
      })
    })
  } catch (thrown) {
    release()
    throw blame.put(freezing, thrown)
  }
  return { operators: frozen, release }
}

/** Flink's reason for what fails beside the records. */
const ASYNC_EXCEPTION = 'CHECKPOINT_ASYNC_EXCEPTION'

/** Settles when everything is durable. Rejects with nothing left behind. */
export async function writeSubtask(
  frozen: FrozenSubtask,
  environment: TaskEnvironment,
  signal: AbortSignal,
  blame: Blame,
): Promise<readonly OperatorSubtaskState[]> {
  const written: StateHandle[] = []
  let first: { readonly thrown: unknown } | undefined
  /** Of each part that fails. Nobody waits for barriers that may be long in coming, and what was first is told. */
  const failed = (thrown: unknown): never => {
    first ??= { thrown }
    for (const { inFlight } of frozen.operators) inFlight?.abandon(ASYNC_EXCEPTION)
    throw thrown
  }
  const keep = async <Handle extends StateHandle>(writing: Promise<Handle>): Promise<Handle> => {
    const handle = await writing
    written.push(handle)
    return handle
  }
  try {
    const states = await allOrNothing(
      frozen.operators.map((operator) => writeOperator(operator, environment, signal, keep, failed, blame)),
    )
    signal.throwIfAborted()
    return states
  } catch (thrown) {
    environment.discard(written)
    throw first === undefined ? thrown : first.thrown
  } finally {
    frozen.release()
  }
}

async function writeOperator(
  frozen: FrozenOperator,
  environment: TaskEnvironment,
  signal: AbortSignal,
  keep: <Handle extends StateHandle>(writing: Promise<Handle>) => Promise<Handle>,
  failed: (thrown: unknown) => never,
  blame: Blame,
): Promise<OperatorSubtaskState> {
  const { name, identity, keyed, keyGroups, operator, ready, inFlight } = frozen
  /** Not of the disk's doing. */
  const blamed = (thrown: unknown): never => {
    throw blame.put(name, thrown)
  }
  const { turnLoop, snapshotWriter } = environment
  const target = (of: SnapshotIdentity): SnapshotTarget => ({ open: (scope) => snapshotWriter.open(of, scope) })
  const [keyedHandle, operatorHandle, channels] = await allOrNothing([
    keyed === undefined
      ? Promise.resolve(undefined)
      : serialised(keyed, environment, signal)
          .catch(blamed)
          .then(() => turnLoop.controlWork(keep(keyed.write(target({ ...identity, kind: 'keyed', keyGroups })))))
          .catch(failed),
    operator === undefined
      ? Promise.resolve(undefined)
      : turnLoop.controlWork(keep(written(target({ ...identity, kind: 'operator' }), [operator]))).catch(failed),
    inFlight === undefined
      ? Promise.resolve(undefined)
      : captured(inFlight, signal)
          .then(
            (found) =>
              found &&
              turnLoop
                .controlWork(keep(written(target({ ...identity, kind: 'channels' }), found.parts)))
                .then((handle) => ({ handle, edges: found.edges })),
          )
          .catch(failed),
    ready === undefined
      ? Promise.resolve(undefined)
      : turnLoop.controlWork(ready.then(() => undefined, blamed)).catch(failed),
  ])
  return {
    operatorId: identity.operatorId,
    ...(keyedHandle === undefined ? {} : { keyed: keyedHandle }),
    ...(operatorHandle === undefined ? {} : { operator: operatorHandle }),
    ...(channels === undefined ? {} : { channels }),
  }
}

/** Comes when all barriers are here. */
async function captured(inFlight: InFlightSnapshot, signal: AbortSignal): Promise<WrittenChannels | undefined> {
  const abandon = () => inFlight.release()
  signal.addEventListener('abort', abandon, { once: true })
  try {
    return await inFlight.complete
  } finally {
    signal.removeEventListener('abort', abandon)
  }
}

async function written(target: SnapshotTarget, parts: readonly Uint8Array[]): Promise<StoredHandle> {
  const stream = target.open()
  try {
    for (const bytes of parts) await stream.append(bytes)
    return await stream.finish()
  } catch (thrown) {
    await stream.abandon()
    throw thrown
  }
}

/** Entries serialised at a time: short enough for any slice of a turn. */
const ENTRIES_PER_STEP = 200

/** Serialises in slices between the records. */
function serialised(keyed: FrozenKeyedState, { turnLoop, ports }: TaskEnvironment, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const work: Parameters<TurnLoop['addBackground']>[0] = {
      step(untilMs) {
        try {
          signal.throwIfAborted()
          do {
            if (keyed.step(ENTRIES_PER_STEP)) {
              resolve()
              return true
            }
          } while (ports.clock.monotonic() < untilMs)
          return false
        } catch (thrown) {
          reject(thrown)
          return true
        }
      },
    }
    turnLoop.addBackground(work)
  })
}

/** Waits for all, also when one fails: nothing is under way any more when it settles. */
async function allOrNothing<T extends readonly unknown[]>(
  promises: readonly [...{ [Index in keyof T]: Promise<T[Index]> }],
): Promise<T> {
  await Promise.allSettled(promises)
  return (await Promise.all(promises)) as unknown as T
}
