/** Asks the state backend and the operator state store themselves what they would answer to a program after a restore. */
import { StreamError } from '../base/errors.ts'
import { defaultSerializer, type Serializer } from '../elements/serializer.ts'
import type { JobVertex } from '../graph/job-graph.ts'
import { unframed } from '../operators/framed.ts'
import type { Source } from '../operators/source.ts'
import type { StoredTable } from '../state/keyed-format.ts'
import { type OperatorStateStore, operatorStateStore } from '../state/operator-state.ts'
import { redistributeOperatorState } from '../state/redistribution.ts'
import type { SnapshotReader } from '../state/snapshot.ts'
import type { KeyedStateBackend, StoredKeyedState } from '../state/state-backend.ts'
import { emptyBackend } from './declared-states.ts'
import type { DescribedKeyedState } from './describe-keyed-state.ts'
import type { DeclaredState } from './recorded-states.ts'
import type { StateForm } from './state-plan.ts'
import type { StoredOperator } from './stored-states.ts'

export interface RestoredStates {
  readonly stored: readonly (StateForm & Pick<DeclaredState, 'type' | 'name'>)[]
  /** The backend in whose own form some of the keyed state is; undefined: all of it is known. */
  readonly ownForm: string | undefined
  /** Restoring is refused before any state is asked for. */
  readonly failure: StreamError | undefined
  /** What a program that asks for this state is refused with. */
  answer(state: DeclaredState): StreamError | undefined
}

export interface RestoringOperator {
  /** As it is restored. */
  readonly vertex: JobVertex
  /** It gets keyed state. */
  readonly keyed: boolean
  /** `state.backend.type` of the program. */
  readonly stateBackend: string
}

export async function restoredStates(
  stored: StoredOperator,
  { vertex, keyed, stateBackend }: RestoringOperator,
): Promise<RestoredStates> {
  const groups = keyed ? restoredTogether(stored.keyed, stateBackend) : []
  const backends = await Promise.all(
    groups.map((group) => settled(() => restoredBackend(group, vertex.maxParallelism))),
  )
  const store = await settled(() => restoredStore(stored, vertex.parallelism))
  return {
    stored: storedStatesOf(stored),
    ownForm: stored.keyed.flatMap(unknownForm)[0],
    failure: backends.find(({ failure }) => failure !== undefined)?.failure ?? store.failure,
    answer: (state) => answers(state, backends, store).find((failure) => failure !== undefined),
  }
}

function answers(
  state: DeclaredState,
  backends: readonly Settled<KeyedStateBackend>[],
  store: Settled<OperatorStateStore>,
): readonly (StreamError | undefined)[] {
  if (state.type === 'keyed')
    return backends.map(({ value }) => (value === undefined ? undefined : refusal(() => state.askOf(value))))
  const { value } = store
  return value === undefined ? [] : [refusal(() => state.askOf(value))]
}

/**
 * The canonical form is the same to every backend, and subtasks must agree in it; that of another backend alone is refused
 * by each. Contents of the own form of the program's backend are asked one by one: they may differ.
 */
function restoredTogether(
  keyed: readonly DescribedKeyedState[],
  stateBackend: string,
): readonly (readonly StoredKeyedState[])[] {
  const together: StoredKeyedState[] = []
  const alone: StoredKeyedState[][] = []
  for (const { keyGroups, form } of keyed) {
    if (form.type === 'canonical') together.push(storedState(keyGroups, form.contents.withoutEntries))
    else if (form.handle.backend !== stateBackend)
      together.push({ keyGroups, handle: form.handle, reader: readerOf(new Uint8Array(0)) })
    else for (const { withoutEntries } of form.contents) alone.push([storedState(keyGroups, withoutEntries)])
  }
  return [together, ...alone]
}

const unknownForm = ({ form }: DescribedKeyedState): readonly string[] =>
  form.type === 'own' && form.contents.length === 0 ? [form.handle.backend] : []

/** Keyed state first; what nobody can look into is not among them. */
export function storedStatesOf(stored: StoredOperator): RestoredStates['stored'] {
  return [...tablesOf(stored.keyed), ...operatorStatesOf(stored)]
}

/** What a source whose enumerator stored this is refused with. */
export function coordinatorAnswer(source: Source<unknown>, name: string, bytes: Uint8Array): StreamError | undefined {
  const { id, version } = (source.enumeratorSerializer ?? defaultSerializer()) as Serializer<unknown>
  // The state itself is the program's to read.
  const serializer: Serializer<unknown> = { id, version, serialize: () => bytes, deserialize: () => undefined }
  return refusal(() => unframed(serializer, bytes, `the split enumerator of source "${name}"`))
}

async function restoredBackend(
  states: readonly StoredKeyedState[],
  maxParallelism: number,
): Promise<KeyedStateBackend> {
  const backend = emptyBackend(maxParallelism)
  await backend.restore(states)
  return backend
}

function storedState(keyGroups: StoredKeyedState['keyGroups'], bytes: Uint8Array): StoredKeyedState {
  const identity = { checkpointId: 1, operatorId: '0'.repeat(32), subtask: 0, kind: 'keyed' as const, keyGroups }
  const handle = { type: 'inline' as const, identity, bytes: Buffer.from(bytes).toString('base64') }
  return { keyGroups, handle, reader: readerOf(bytes) }
}

const readerOf = (bytes: Uint8Array): SnapshotReader => ({
  read: async () => bytes,
  scan: async (_handle, take) => take(bytes, bytes.length),
})

function restoredStore({ operator }: StoredOperator, parallelism: number): OperatorStateStore {
  return operatorStateStore({ subtask: 0, restored: redistributeOperatorState(operator, parallelism)[0] ?? [] })
}

/** A table stands once in each subtask's contents; of several lists of serializers the oldest is shown. */
function tablesOf(keyed: readonly DescribedKeyedState[]): RestoredStates['stored'] {
  const tables = new Map<string, StoredTable>()
  const contents = keyed.flatMap(({ form }) => form.contents)
  for (const table of contents.flatMap(({ header }) => header.tables)) {
    const place = `${table.kind}/${table.name}`
    if (!tables.has(place)) tables.set(place, table)
  }
  return [...tables.values()].map(({ kind, name, serializers }) => ({ type: 'keyed', kind, name, serializers }))
}

function operatorStatesOf({ operator }: StoredOperator): RestoredStates['stored'] {
  const states = new Map(operator.flatMap((list) => list ?? []).map((state) => [state.name, state]))
  return [...states.values()].map(({ name, mode, serializer }) => ({
    type: 'operator',
    kind: mode,
    name,
    serializers: [serializer],
  }))
}

interface Settled<Value> {
  readonly value?: Value
  readonly failure?: StreamError
}

async function settled<Value>(call: () => Value | Promise<Value>): Promise<Settled<Value>> {
  try {
    return { value: await call() }
  } catch (thrown) {
    return { failure: refused(thrown) }
  }
}

function refusal(call: () => unknown): StreamError | undefined {
  try {
    call()
    return undefined
  } catch (thrown) {
    return refused(thrown)
  }
}

/** The answer of a state; anything but a StreamError is a mistake of ours and goes on. */
function refused(thrown: unknown): StreamError {
  if (!StreamError.is(thrown)) throw thrown
  return thrown
}
