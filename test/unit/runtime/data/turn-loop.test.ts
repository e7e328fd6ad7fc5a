import { describe, expect, it } from 'vitest'
import type { Turns } from '../../../../src/base/turns.ts'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import { TurnLoop } from '../../../../src/runtime/data/turn-loop.ts'

/** Turns that are run by hand. */
function fixture() {
  const clock = new VirtualClock()
  const waiting: (() => void)[] = []
  const turns: Turns = { next: (turn) => void waiting.push(turn) }
  const loop = new TurnLoop(clock, turns)
  const runTurn = () => {
    const turn = waiting.shift()
    turn?.()
    return turn !== undefined
  }
  return { clock, loop, waiting, runTurn }
}

describe('The turn loop', () => {
  it('sleeps when nobody has anything to do, and is woken', () => {
    const { loop, waiting, runTurn } = fixture()
    let steps = 0
    loop.add({ step: () => ++steps < 3 })
    expect(waiting).toHaveLength(1)
    runTurn()
    expect(steps).toBe(3)
    expect(waiting).toHaveLength(0)
    loop.wake()
    loop.wake()
    expect(waiting).toHaveLength(1)
  })

  it('gives the event loop back after 8 ms, and comes again', () => {
    const { clock, loop, waiting, runTurn } = fixture()
    let steps = 0
    loop.add({
      step() {
        steps++
        clock.skip(3)
        return true
      },
    })
    runTurn()
    expect(steps).toBe(3)
    expect(waiting).toHaveLength(1)
  })

  it('leaves the work beside the records its part of a turn that a slow function has used up', () => {
    const { clock, loop, runTurn } = fixture()
    loop.add({
      step() {
        clock.skip(30)
        return true
      },
    })
    let pieces = 0
    loop.addBackground({
      step(untilMs) {
        do {
          pieces++
          clock.skip(1)
        } while (clock.monotonic() < untilMs)
        return false
      },
    })
    runTurn()
    expect(pieces).toBe(5)
  })

  it('tells each how long its steps took, also one that worked until there was nothing more', () => {
    const { clock, loop, runTurn } = fixture()
    const told: string[] = []
    const member = (name: string, steps: readonly ('does' | 'in vain' | 'nothing')[]) => {
      const left = [...steps]
      const runnable = {
        workedInVain: false,
        step() {
          const step = left.shift()
          runnable.workedInVain = step === 'in vain'
          if (step !== undefined && step !== 'nothing') clock.skip(1)
          return step === 'does'
        },
        stepped: (startMs: number, endMs: number) => void told.push(`${name} ${startMs}-${endMs}`),
      }
      loop.add(runnable)
    }
    member('source', ['does', 'in vain', 'nothing'])
    member('map', ['does', 'nothing', 'nothing'])
    runTurn()
    expect(told).toEqual(['source 0-1', 'map 1-2', 'source 2-3'])
  })

  it('tells quick steps that follow each other together, and a slow one by itself', () => {
    const { clock, loop, runTurn } = fixture()
    const told: string[] = []
    const tookMs = [0.25, 0.25, 0.25, 2, 0.25, 0.25]
    loop.add({
      step() {
        const ms = tookMs.shift()
        clock.skip(ms ?? 0)
        return ms !== undefined
      },
      stepped: (startMs, endMs) => void told.push(`${startMs}-${endMs}`),
    })
    runTurn()
    expect(told).toEqual(['0-0.75', '0.75-2.75', '2.75-3.25'])
  })

  it('gives it back after 2 ms while files are under way', async () => {
    const { clock, loop, runTurn } = fixture()
    let steps = 0
    let settle = () => {}
    const work = loop.controlWork(new Promise<void>((resolve) => (settle = resolve)))
    loop.add({
      step() {
        steps++
        clock.skip(1)
        return true
      },
    })
    runTurn()
    expect(steps).toBe(2)
    settle()
    await work
    runTurn()
    expect(steps).toBe(10)
  })

  it('runs its members in turn, none twice before another once', () => {
    const { clock, loop, runTurn } = fixture()
    const ran: string[] = []
    for (const name of ['a', 'b', 'c'])
      loop.add({
        step() {
          ran.push(name)
          clock.skip(2)
          return true
        },
      })
    runTurn()
    runTurn()
    expect(ran.join('')).toBe('abcabcab')
  })

  it('lets none wait for ever behind one whose single step uses up every turn', () => {
    const { clock, loop, runTurn } = fixture()
    const ran: string[] = []
    for (const name of ['slow', 'other'])
      loop.add({
        step() {
          ran.push(name)
          clock.skip(10)
          return true
        },
      })
    for (let turn = 0; turn < 4; turn++) runTurn()
    expect(ran).toEqual(['slow', 'other', 'slow', 'other'])
  })

  it('gives less at a time also to one that is slow and never has as much as it may do', () => {
    const { clock, loop, runTurn } = fixture()
    const budgets: number[] = []
    const runnable = {
      workedInVain: false,
      step(budget: number) {
        budgets.push(budget)
        const records = budgets.length < 10 ? budget : Math.min(budget, 20)
        runnable.workedInVain = budgets.length >= 10 && budget > 20
        // Quick at first, then a millisecond a record.
        if (budgets.length >= 10) clock.skip(records)
        return !runnable.workedInVain
      },
    }
    loop.add(runnable)
    runTurn()
    loop.wake()
    runTurn()
    expect(Math.max(...budgets)).toBe(512)
    expect(budgets.at(-1)).toBeLessThan(50)
  })

  it('gives a quick member more at a time and a slow one less', () => {
    const { clock, loop, runTurn } = fixture()
    const budgets: number[] = []
    let slow = false
    loop.add({
      step(budget) {
        budgets.push(budget)
        clock.skip(slow ? 3 : 0.1)
        return true
      },
    })
    for (let turn = 0; turn < 4; turn++) runTurn()
    expect(budgets.slice(0, 11)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512])
    slow = true
    budgets.length = 0
    for (let turn = 0; turn < 20; turn++) runTurn()
    expect(Math.min(...budgets)).toBe(1)
  })

  it('keeps a part of each turn for background work while records flow', () => {
    const { clock, loop, runTurn } = fixture()
    const until: number[] = []
    loop.add({
      step() {
        clock.skip(1)
        return true
      },
    })
    loop.addBackground({
      step(untilMs) {
        until.push(untilMs - clock.monotonic())
        return until.length === 2
      },
    })
    runTurn()
    runTurn()
    runTurn()
    expect(until).toEqual([5, 5])
  })

  it('runs nothing after a stop, also one that comes from inside a turn', () => {
    const { loop, waiting, runTurn } = fixture()
    let steps = 0
    loop.add({
      step() {
        steps++
        loop.stop()
        return true
      },
    })
    runTurn()
    loop.wake()
    expect([steps, waiting.length]).toEqual([1, 0])
  })
})
