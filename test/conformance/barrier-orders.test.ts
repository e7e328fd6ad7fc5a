/**
 * What an unaligned checkpoint captures, whatever the order of barriers and records on three channels: the records before
 * each channel's barrier that were not processed when the snapshot was taken, no other.
 */
import { describe, expect, test } from 'vitest'
import { type BarrierTrace, replayBarriers } from '../../src/testing/replay-barriers.ts'

/** Every way to shuffle three lists without changing the order within one. */
function interleavings(lists: readonly (readonly string[])[]): readonly (readonly string[])[] {
  if (lists.every((list) => list.length === 0)) return [[]]
  return lists.flatMap(([first, ...rest], index) =>
    first === undefined ? [] : interleavings(lists.with(index, rest)).map((others) => [first, ...others]),
  )
}

/** The subtask finds time for a record now and then: for one of each channel in turn. */
function withProcessing(steps: readonly string[]): readonly string[] {
  return steps.flatMap((step, index) => (index % 2 === 1 ? [step, `p${((index - 1) / 2) % 3}`] : [step]))
}

/** Step numbers of the records before their channel's barrier that are not processed when the snapshot is taken. */
function overtaken(steps: readonly string[], snapshotAt: number): readonly number[] {
  return [0, 1, 2].flatMap((channel) => {
    const of = (letters: string, from: number, to: number) =>
      steps.flatMap((step, index) =>
        index >= from && index < to && letters.includes(step.charAt(0)) && step.endsWith(`${channel}`) ? [index] : [],
      )
    const barrier = of('ab', 0, steps.length)[0] ?? 0
    const waiting = steps
      .slice(0, snapshotAt)
      .reduce<readonly number[]>(
        (queue, step, index) =>
          step === `q${channel}` ? queue.concat(index) : step === `p${channel}` ? queue.slice(1) : queue,
        [],
      )
    return [...waiting.filter((index) => index < barrier), ...of('rq', snapshotAt, barrier)]
  })
}

/** The traces that do not come out so. */
function wrongOnes(traces: readonly BarrierTrace[], snapshotAt: (steps: readonly string[]) => number) {
  return traces.filter((trace) => {
    const { triggeredAs, inflight } = replayBarriers(trace)
    const expected = overtaken(trace.steps, snapshotAt(trace.steps)).toSorted((one, other) => one - other)
    return triggeredAs.join() !== 'unaligned' || inflight[1]?.join() !== expected.join()
  })
}

describe('three channels in every order of their barriers and records', () => {
  test('unaligned from the start: exactly what was overtaken is captured', () => {
    const lists = [
      ['q0', 'b1@0', 'q0'],
      ['q1', 'q1', 'b1@1'],
      ['q2', 'b1@2'],
    ]
    const traces = interleavings(lists).map(
      (steps): BarrierTrace => ({ mode: 'unaligned', channels: 3, steps: withProcessing(steps) }),
    )
    expect(traces).toHaveLength(560)
    expect(wrongOnes(traces, (steps) => steps.findIndex((step) => step.startsWith('b')))).toEqual([])
  })

  test('after a timeout that finds barriers come, announced and missing: exactly what was overtaken is captured', () => {
    const lists = [
      ['r0', 'b1@0', 'r0'],
      ['q1', 'a1@1', 'q1'],
      ['q2', 'a1@2'],
    ]
    const traces = interleavings(lists).map((steps, index): BarrierTrace => {
      const barriers = steps.flatMap((step, at) => (/^[ab]/.test(step) ? [at + 1] : []))
      const timeout = barriers[index % 2] as number
      return {
        mode: 'alternating',
        channels: 3,
        localChannels: [0],
        alignedTimeoutMs: 10,
        steps: withProcessing(steps).toSpliced(timeout + Math.floor(timeout / 2), 0, '+11'),
      }
    })
    expect(wrongOnes(traces, (steps) => steps.indexOf('+11'))).toEqual([])
  })

  test('a snapshot at another place would have captured something else (negative control)', () => {
    const trace: BarrierTrace = { mode: 'unaligned', channels: 3, steps: ['q0', 'b1@1', 'p0', 'b1@0', 'b1@2'] }
    expect(wrongOnes([trace], () => 1)).toEqual([])
    expect(wrongOnes([trace], () => 3)).toEqual([trace])
  })
})
