import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import { JobEvents } from '../../../src/runtime/job-events.ts'
import { JobMeter, type MeteredTask } from '../../../src/runtime/job-meter.ts'

/** `look`: the ratio after a second in which each task has waited so long in all. */
function fixture() {
  const clock = new VirtualClock()
  const meter = new JobMeter(clock, new JobEvents().counts)
  let tasks: readonly { backPressuredMs: number }[] = []
  meter.watch(() => tasks as readonly MeteredTask[])
  return {
    deployed: (...all: readonly { backPressuredMs: number }[]) => {
      tasks = all
    },
    look() {
      clock.skip(1000)
      return meter.metrics().backPressuredRatio
    },
  }
}

const task = (backPressuredMs: number) => ({ recordsIn: 0, recordsOut: 0, backPressuredMs })

describe('The back-pressure of a job', () => {
  it('is that of the subtask that waited longest since the last look, however long others waited before', () => {
    const { deployed, look } = fixture()
    const [long, late] = [task(800), task(0)]
    deployed(long, late)
    expect(look()).toBe(0.8)
    late.backPressuredMs = 500
    expect(look()).toBe(0.5)
    expect(look()).toBe(0)
  })

  it('counts a subtask from its deployment on, whatever the attempt before it waited', () => {
    const { deployed, look } = fixture()
    deployed(task(800))
    look()
    deployed(task(300))
    expect(look()).toBe(0.3)
  })
})
