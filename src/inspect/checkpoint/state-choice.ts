/** Which state of a checkpoint a name means: `NAME` where only one operator has it, else `OPERATOR/NAME`. */
import { StreamError } from '../../base/errors.ts'
import type { OperatorMetadata } from '../../checkpoint/checkpoint-metadata.ts'
import { IN_FLIGHT } from './in-flight.ts'
import { keyedStateReader } from './keyed-scan.ts'
import type { OpenCheckpoint } from './open-checkpoint.ts'
import { readOperatorStates } from './operator-states.ts'

export interface StateChoice {
  readonly operator: OperatorMetadata
  /** `channels`: records that were in flight. */
  readonly type: 'keyed' | 'operator' | 'channels'
  /** Of keyed state: `value`, `timers`, …; of operator state: its mode; of records in flight as the name. */
  readonly kind: string
  readonly name: string
}

/** A list of more is of no help to anybody. */
const MOST_NAMES = 20

/** Throws STATE_UNKNOWN for none or several, with the names that would do; and what reading the checkpoint throws. */
export async function chooseState(checkpoint: OpenCheckpoint, wanted: string): Promise<StateChoice> {
  const all = await statesOf(checkpoint)
  const candidates = all.filter((choice) => namesOf(choice).includes(wanted))
  const [only, ...others] = candidates
  if (only === undefined)
    throw unknown(
      checkpoint,
      wanted,
      'holds no such state',
      `It holds ${listed(all.map((choice) => fullName(choice)))}.`,
    )
  if (others.length > 0)
    throw unknown(
      checkpoint,
      wanted,
      `holds ${candidates.length} of that name`,
      `Choose one of ${listed(candidates.map(idName))}.`,
    )
  return only
}

async function statesOf(checkpoint: OpenCheckpoint): Promise<readonly StateChoice[]> {
  const choices = new Map<string, StateChoice>()
  const add = (choice: StateChoice) =>
    void choices.set(JSON.stringify([choice.operator.operatorId, choice.type, choice.kind, choice.name]), choice)
  for (const operator of checkpoint.metadata.operators) {
    for (const { keyed } of operator.subtasks)
      for (const { kind, name } of keyed === undefined ? [] : (await keyedStateReader(checkpoint, keyed)).header.tables)
        add({ operator, type: 'keyed', kind, name })
    for (const { states } of await readOperatorStates(checkpoint, operator))
      for (const { mode, name } of states) add({ operator, type: 'operator', kind: mode, name })
    if (operator.subtasks.some(({ channels }) => channels !== undefined))
      add({ operator, type: 'channels', kind: IN_FLIGHT, name: IN_FLIGHT })
  }
  return [...choices.values()]
}

function namesOf({ operator, name }: StateChoice): readonly string[] {
  const { uid, name: operatorName, operatorId } = operator
  return [name, ...[uid, operatorName, operatorId].filter((one) => one !== undefined).map((one) => `${one}/${name}`)]
}

const fullName = ({ operator, name }: StateChoice): string => `${operator.uid ?? operator.name}/${name}`
const idName = ({ operator, name }: StateChoice): string => `${operator.operatorId}/${name}`

function listed(names: readonly string[]): string {
  if (names.length === 0) return 'no state at all'
  const shown = names.slice(0, MOST_NAMES).map((name) => `'${name}'`)
  const more = names.length - shown.length
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

function unknown({ location }: OpenCheckpoint, wanted: string, what: string, hint: string): StreamError {
  return new StreamError('STATE_UNKNOWN', {
    message: `The checkpoint '${location}' ${what}: '${wanted}'.`,
    hint,
    details: { path: location, state: wanted },
  })
}
