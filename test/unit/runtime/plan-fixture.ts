/** Stored states as a checkpoint would hold them, and a plan for a program that a test declares. */
import type { StreamExecutionEnvironment } from '../../../src/api/stream-execution-environment.ts'
import type { OperatorMetadata } from '../../../src/checkpoint/checkpoint-metadata.ts'
import { ByteReader } from '../../../src/elements/byte-reader.ts'
import type { Serializer } from '../../../src/elements/serializer.ts'
import { operatorIdOfUid } from '../../../src/graph/operator-ids.ts'
import { declaredStates } from '../../../src/runtime/declared-states.ts'
import type { KeyedContents } from '../../../src/runtime/describe-keyed-state.ts'
import { operatorsOf } from '../../../src/runtime/placed-operators.ts'
import { type OperatorPlan, planRestore, type RestorePlan } from '../../../src/runtime/restore-plan.ts'
import type { StatePlan } from '../../../src/runtime/state-plan.ts'
import type { StoredOperator, StoredStates } from '../../../src/runtime/stored-states.ts'
import { encodeKeyedHeader, readKeyedHeader, type StoredTable } from '../../../src/state/keyed-format.ts'
import type { StoredOperatorState } from '../../../src/state/operator-state-format.ts'
import type { CompositeHandle, InFlightEdge, InlineHandle, StateHandle } from '../../../src/state/snapshot.ts'
import { Launchpad } from '../api/started-job.ts'

export const VALUE = { id: 'millrace.value', version: 1 }
export const TTL = { id: 'millrace.ttl', version: 1 }
export const TIMERS: readonly StoredTable[] = ['event', 'processing'].map((domain) => ({
  kind: 'timers',
  name: `timers/${domain}`,
  serializers: [{ id: 'millrace.timers', version: 1 }],
}))

export const table = (kind: string, name: string, ...serializers: StoredTable['serializers']): StoredTable => ({
  kind,
  name,
  serializers: serializers.length === 0 ? [VALUE] : serializers,
})

/** A serializer that is never used. */
export const serializer = <T>(id: string, version: number): Serializer<T> => ({
  id,
  version,
  serialize: () => new Uint8Array(0),
  deserialize: () => {
    throw new Error('nothing is read for a plan')
  },
})

export interface StoredOperatorSpec {
  readonly uid: string
  readonly name?: string
  readonly parallelism?: number
  readonly maxParallelism?: number
  readonly tables?: readonly StoredTable[]
  readonly lists?: readonly StoredOperatorState[]
  readonly coordinator?: Uint8Array
  readonly finished?: boolean
  /** Of its first subtask. */
  readonly inFlight?: readonly InFlightEdge[]
  /** The backend in whose own form the keyed state is. */
  readonly ownForm?: string
  /** What that is known to hold, a list of tables for each list of serializers. */
  readonly ownContents?: readonly (readonly StoredTable[])[]
}

export function storedStates(...specs: readonly StoredOperatorSpec[]): StoredStates {
  const operators = specs.map(storedOperator)
  return {
    location: '/state/chk-7',
    metadata: {
      jobId: 'a'.repeat(32),
      jobName: 'old',
      epoch: 1,
      checkpointId: 7,
      kind: 'checkpoint',
      timestamp: 0,
      operators: operators.map(({ metadata }) => metadata),
    },
    operators: new Map(operators.map((operator) => [operator.metadata.operatorId, operator])),
  }
}

function storedOperator(spec: StoredOperatorSpec): StoredOperator {
  const { uid, name = uid, parallelism = 1, maxParallelism = 128, tables, lists, coordinator, finished = false } = spec
  const operatorId = operatorIdOfUid(uid)
  const keyGroups = { first: 0, last: maxParallelism - 1 }
  const handle = (kind: StateHandle['identity']['kind']): StateHandle => ({
    type: 'inline',
    identity: { checkpointId: 7, operatorId, subtask: 0, kind },
    bytes: '',
  })
  const metadata: OperatorMetadata = {
    operatorId,
    uid,
    name,
    parallelism,
    maxParallelism,
    coordinator: coordinator && handle('coordinator'),
    subtasks: Array.from({ length: parallelism }, (_, index) => ({
      index,
      finished,
      keyed: tables && index === 0 ? handle('keyed') : undefined,
      operator: lists && index === 0 ? handle('operator') : undefined,
      channels:
        spec.inFlight && index === 0 ? { handle: handle('channels') as InlineHandle, edges: spec.inFlight } : undefined,
    })),
  }
  const form =
    spec.ownForm === undefined
      ? ({ type: 'canonical', contents: contentsOf(maxParallelism, tables ?? []) } as const)
      : ({
          type: 'own',
          handle: compositeOf(spec.ownForm, handle('keyed') as InlineHandle),
          contents: (spec.ownContents ?? []).map((of) => contentsOf(maxParallelism, of)),
        } as const)
  return {
    metadata,
    keyed: tables === undefined ? [] : [{ keyGroups, form }],
    operator: metadata.subtasks.map((_, index) => (index === 0 ? lists : undefined)),
    coordinator,
  }
}

function contentsOf(maxParallelism: number, tables: readonly StoredTable[]): KeyedContents {
  const withoutEntries = encodeKeyedHeader({ maxParallelism, tables })
  return { header: readKeyedHeader(new ByteReader(withoutEntries)), withoutEntries }
}

const compositeOf = (backend: string, index: InlineHandle): CompositeHandle => ({
  type: 'composite',
  identity: index.identity,
  backend,
  index,
  parts: [],
})

export async function planOf(
  stored: StoredStates,
  declare: (env: StreamExecutionEnvironment) => void,
  options: { readonly allowNonRestoredState?: boolean; readonly stateBackend?: string } = {},
): Promise<RestorePlan> {
  const pad = new Launchpad()
  declare(pad.env)
  await pad.env.execute('new').catch(() => {})
  const graph = pad.started[0]?.graph
  if (graph === undefined) throw new Error('the program did not start')
  const declared = new Map(
    operatorsOf(graph).map(({ vertex, index, operator }) => [
      operator.operatorId,
      declaredStates(vertex, index, 'new'),
    ]),
  )
  return planRestore({
    graph,
    declared,
    stored,
    allowNonRestoredState: options.allowNonRestoredState ?? false,
    stateBackend: options.stateBackend ?? 'hashmap',
  })
}

export function operatorOf(plan: RestorePlan, uid: string): OperatorPlan {
  const found = plan.operators.find((operator) => operator.uid === uid)
  if (found === undefined) throw new Error(`no operator ${uid}`)
  return found
}

export function stateOf(plan: RestorePlan, uid: string, name: string): StatePlan {
  const found = operatorOf(plan, uid).states.find((state) => state.name === name)
  if (found === undefined) throw new Error(`no state ${name} of ${uid}`)
  return found
}
