import { describe, expect, it } from 'vitest'
import { SubtaskTimes } from '../../../../src/runtime/data/subtask-times.ts'

function fixture() {
  let nowMs = 0
  const times = new SubtaskTimes(() => nowMs)
  return {
    at: (ms: number, outputFull: boolean, paused: boolean) => {
      nowMs = ms
      times.waitsFor(outputFull, paused)
    },
    stepped: (startMs: number, endMs: number) => {
      nowMs = endMs
      times.stepped(startMs, endMs)
    },
    spent: (ms: number) => [times.busyMs(ms), times.outputFullMs(ms)],
  }
}

describe('The times of a subtask', () => {
  it('are those of its steps', () => {
    const { stepped, spent } = fixture()
    stepped(10, 12)
    stepped(20, 25)
    expect(spent(100)).toEqual([7, 0])
  })

  it('count a step in which credit ran out as work to its end, and as a wait behind that', () => {
    const { at, stepped, spent } = fixture()
    at(12, true, false)
    stepped(10, 20)
    expect(spent(20)).toEqual([10, 0])
    expect(spent(50)).toEqual([10, 30])
  })

  it('count a step during a wait, such as for a barrier, as work and not as a wait', () => {
    const { at, stepped, spent } = fixture()
    at(0, true, false)
    stepped(40, 50)
    expect(spent(50)).toEqual([10, 40])
    stepped(60, 61)
    at(100, false, false)
    expect(spent(200)).toEqual([11, 89])
  })

  it('count the wait for a promise as work, and as back-pressure while an output has no credit', () => {
    const { at, spent } = fixture()
    at(0, false, true)
    at(10, true, true)
    at(30, true, false)
    at(60, false, true)
    at(100, false, false)
    expect(spent(500)).toEqual([10 + 40, 50])
  })
})
