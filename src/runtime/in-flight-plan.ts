/** What becomes of the records in flight at a restore, edge by edge, as lines of a plan. Pure. */
import type { OperatorMetadata } from '../checkpoint/checkpoint-metadata.ts'
import { valueCodec } from '../elements/serializer.ts'
import type { JobEdge, JobGraph } from '../graph/job-graph.ts'
import type { InFlightEdge } from '../state/snapshot.ts'
import { fitInFlight, type InFlightFit, inFlightOf, inFlightRefused } from './in-flight-records.ts'
import type { StateForm, StatePlan, StatesPlan } from './state-plan.ts'
import type { StoredStates } from './stored-states.ts'

/** Of an operator of the metadata that the graph has, its vertices fitted to the state. */
export function planInFlight(
  graph: JobGraph,
  operator: OperatorMetadata,
  stored: StoredStates,
  allowNonRestoredState: boolean,
): StatesPlan {
  const fits = fitInFlight(graph, operator)
  const refused = (fit: InFlightFit) => inFlightRefused(fit, operator, stored.metadata)
  const counts = ({ problem }: InFlightFit) => problem?.type !== 'noEdge' || !allowNonRestoredState
  return {
    states: fits.map(
      (fit): StatePlan => ({
        ...described(fit.stored, stored),
        change: fit.problem === undefined ? 'matched' : fit.problem.type === 'noEdge' ? 'dropped' : 'incompatible',
        program: fit.edge && programForm(fit.edge),
        note: noteOf(fit.stored, fit.problem?.why),
        failure: fit.problem?.type === 'noEdge' ? undefined : refused(fit),
      }),
    ),
    failure: fits
      .filter(counts)
      .map(refused)
      .find((failure) => failure !== undefined),
  }
}

/** Of an operator that the program does not have. */
export function orphanedInFlight(operator: OperatorMetadata, stored: StoredStates): readonly StatePlan[] {
  return inFlightOf(operator).map((inFlight) => ({
    ...described(inFlight, stored),
    change: 'orphaned',
    program: undefined,
    note: noteOf(inFlight, 'its operator is gone'),
    failure: undefined,
  }))
}

function described(
  { edge, partitioner, serializer }: InFlightEdge,
  { operators }: StoredStates,
): Pick<StatePlan, 'type' | 'name' | 'stored'> {
  const sender = operators.get(edge.from)?.metadata
  const output = edge.sideOutput === undefined ? '' : `, side output '${edge.sideOutput}'`
  return {
    type: 'channels',
    name: `in flight from "${sender?.uid ?? sender?.name ?? edge.from}"${output}`,
    stored: { kind: partitioner, serializers: [serializer] },
  }
}

function programForm({ partitioner, serializer }: JobEdge): StateForm {
  const { id, version } = valueCodec(serializer)
  return { kind: partitioner.type, serializers: [{ id, version }] }
}

function noteOf({ records, bytes }: InFlightEdge, problem: string | undefined): string {
  const size = `${records} record(s), ${bytes} bytes`
  return problem === undefined ? size : `${problem}; ${size}`
}
