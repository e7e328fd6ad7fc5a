/**
 * Mistakes with records in flight, made on purpose around the classes that capture and restore them. That a rescale forgets
 * the key groups is made where the module that reads them is replaced.
 */
import { vi } from 'vitest'
import { RestoredInput } from '../../../src/runtime/data/restored-input.ts'
import { Subtask } from '../../../src/runtime/data/subtask.ts'
import { SubtaskRestore } from '../../../src/runtime/subtask-restore.ts'
import { ChannelStateWriter } from '../../../src/state/channel-state-writer.ts'

export const IN_FLIGHT_SABOTAGES = [
  /** Of each captured channel one record is not stored. */
  'a captured record dropped',
  /** What was in flight is processed behind the first new records. */
  'restored after new input',
  'restored twice',
  /** Each new subtask takes all records of the old subtasks that it shares key groups with. */
  'no filter by key group',
] as const
export type InFlightSabotage = (typeof IN_FLIGHT_SABOTAGES)[number]

type Restored = Awaited<ReturnType<SubtaskRestore['read']>>

/** To be undone by `vi.restoreAllMocks()`. */
export function sabotageInFlight(sabotage: InFlightSabotage): void {
  switch (sabotage) {
    case 'a captured record dropped':
      return dropOne()
    case 'restored after new input':
      return restoreLate()
    case 'restored twice':
      return afterRead((restored) => [...restored, ...restored.map(copied)])
    case 'no filter by key group':
  }
}

function dropOne(): void {
  const { section } = ChannelStateWriter.prototype
  vi.spyOn(ChannelStateWriter.prototype, 'section').mockImplementation(function (this: ChannelStateWriter, ...args) {
    const writer = section.apply(this, args)
    let seen = 0
    return {
      append(value, timestamp) {
        if (seen++ > 0) writer.append(value, timestamp)
      },
    }
  })
}

/** So many turns read channels before. */
const TURNS = 2

/** It says at once that it is through with them, and feeds them later all the same. */
function restoreLate(): void {
  const { feed } = RestoredInput.prototype
  const late = new Map<Subtask, { readonly input: RestoredInput; turns: number }>()
  let stepping: Subtask | undefined
  vi.spyOn(RestoredInput.prototype, 'consumed', 'get').mockReturnValue(true)
  vi.spyOn(RestoredInput.prototype, 'feed').mockImplementation(function (this: RestoredInput) {
    if (stepping !== undefined) late.set(stepping, { input: this, turns: 0 })
    return false
  })
  const { step } = Subtask.prototype
  vi.spyOn(Subtask.prototype, 'step').mockImplementation(function (this: Subtask, budget) {
    stepping = this
    const progressed = step.call(this, budget)
    stepping = undefined
    const waiting = late.get(this)
    if (waiting !== undefined && progressed && ++waiting.turns > TURNS)
      this.mail(() => feed.call(waiting.input, budget))
    return progressed
  })
}

function afterRead(change: (restored: Restored) => Restored): void {
  const { read } = SubtaskRestore.prototype
  vi.spyOn(SubtaskRestore.prototype, 'read').mockImplementation(async function (this: SubtaskRestore) {
    return change(await read.call(this))
  })
}

const copied = ({ input, values, timestamps }: Restored[number]): Restored[number] => ({
  input,
  values: [...values],
  timestamps: [...timestamps],
})
