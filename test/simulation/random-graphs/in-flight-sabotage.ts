/**
 * Mistakes with records in flight, made on purpose around the classes that capture and restore them. That a rescale forgets
 * the key groups is made where the module that reads them is replaced.
 */
import { vi } from 'vitest'
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

const NEW_RECORDS = 20

function restoreLate(): void {
  const late = new WeakMap<SubtaskRestore, Restored>()
  afterRead((restored, restore) => {
    late.set(restore, restored)
    return []
  })
  const { makeChain } = SubtaskRestore.prototype
  vi.spyOn(SubtaskRestore.prototype, 'makeChain').mockImplementation(function (this: SubtaskRestore, ...args) {
    const chain = makeChain.apply(this, args)
    const { inputs } = chain.head
    const takes = inputs.map((input) => input.processElement.bind(input))
    let waiting = late.get(this) ?? []
    let taken = 0
    const feed = () => {
      const restored = waiting
      waiting = []
      for (const { input, values, timestamps } of restored)
        for (const [index, value] of values.entries()) takes[input]?.(value as never, timestamps[index] as number)
    }
    for (const [index, input] of inputs.entries()) {
      const watermark = input.processWatermark.bind(input)
      input.processElement = (value: never, timestamp: number) => {
        takes[index]?.(value, timestamp)
        if (++taken === NEW_RECORDS) feed()
      }
      // None is lost, and none is late.
      input.processWatermark = (timestamp) => {
        feed()
        watermark(timestamp)
      }
    }
    return chain
  })
}

function afterRead(change: (restored: Restored, restore: SubtaskRestore) => Restored): void {
  const { read } = SubtaskRestore.prototype
  vi.spyOn(SubtaskRestore.prototype, 'read').mockImplementation(async function (this: SubtaskRestore) {
    return change(await read.call(this), this)
  })
}

const copied = ({ input, values, timestamps }: Restored[number]): Restored[number] => ({
  input,
  values: [...values],
  timestamps: [...timestamps],
})
