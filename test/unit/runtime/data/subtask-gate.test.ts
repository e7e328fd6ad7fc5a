import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import { SubtaskGate } from '../../../../src/runtime/data/subtask-gate.ts'

function fixture() {
  const told: unknown[] = []
  const clock = new VirtualClock()
  const gate = new SubtaskGate({
    wake: () => told.push('wake'),
    failed: (cause) => told.push(cause),
    monotonicMs: () => clock.monotonic(),
    dataConsumed: () => told.push('data consumed'),
  })
  return { told, gate, clock }
}

describe('A gate', () => {
  it('is closed as long as one of several outputs is full', () => {
    const { gate } = fixture()
    gate.outputFull()
    gate.outputFull()
    gate.outputFree()
    expect(gate.closed).toBe(1)
    expect(gate.insideAnElement).toBe(false)
    gate.outputFree()
    expect(gate.closed).toBe(0)
  })

  it('adds up how long an output had no credit, however many had none at once', () => {
    const { gate, clock } = fixture()
    gate.outputFull()
    clock.skip(10)
    gate.outputFull()
    clock.skip(5)
    gate.outputFree()
    gate.outputFree()
    clock.skip(100)
    gate.outputFull()
    clock.skip(1)
    expect(gate.backPressuredMs).toBe(16)
  })

  it('is closed, and inside an element, until a promise has settled', async () => {
    const { gate, told } = fixture()
    const { promise, resolve } = withResolvers()
    gate.pause(promise)
    expect([gate.closed, gate.insideAnElement]).toEqual([1, true])
    resolve()
    await promise
    expect([gate.closed, gate.insideAnElement]).toEqual([0, false])
    expect(told).toEqual(['wake'])
  })

  it('fails the task with what a promise was rejected with, and opens', async () => {
    const { gate, told } = fixture()
    const reason = new Error('refused')
    gate.pause(Promise.reject(reason))
    await new Promise((resolve) => queueMicrotask(() => queueMicrotask(() => resolve(undefined))))
    expect(told).toEqual(['wake', reason])
    expect(gate.closed).toBe(0)
  })

  it('passes on that an output has processed all its data', () => {
    const { gate, told } = fixture()
    gate.dataConsumed()
    expect(told).toEqual(['data consumed'])
    expect(gate.closed).toBe(0)
  })

  it('resumes what was interrupted furthest downstream first', () => {
    const { gate } = fixture()
    const ran: string[] = []
    gate.resumeLater({ resume: () => ran.push('inner') })
    gate.resumeLater({ resume: () => ran.push('outer') })
    expect(gate.closed).toBe(1)
    expect(gate.resume()).toBe(true)
    expect(ran).toEqual(['inner', 'outer'])
    expect([gate.closed, gate.insideAnElement]).toEqual([0, false])
  })

  it('does not resume while an output is full', () => {
    const { gate } = fixture()
    const ran: string[] = []
    gate.resumeLater({ resume: () => ran.push('work') })
    gate.outputFull()
    expect(gate.resume()).toBe(false)
    gate.outputFree()
    gate.resume()
    expect(ran).toEqual(['work'])
  })

  it('puts what is interrupted anew before what waits already', () => {
    const { gate } = fixture()
    const ran: string[] = []
    gate.resumeLater({
      resume() {
        ran.push('inner')
        gate.outputFull()
        gate.resumeLater({ resume: () => ran.push('inner again') })
      },
    })
    gate.resumeLater({ resume: () => ran.push('outer') })
    gate.resume()
    expect(ran).toEqual(['inner'])
    gate.outputFree()
    gate.resume()
    expect(ran).toEqual(['inner', 'inner again', 'outer'])
    expect(gate.closed).toBe(0)
  })

  it('lets an outer interruption that comes up while the inner one resumes wait behind it', () => {
    const { gate } = fixture()
    const ran: string[] = []
    gate.resumeLater({
      resume() {
        gate.resumeLater({ resume: () => ran.push('first') })
        gate.resumeLater({ resume: () => ran.push('second') })
      },
    })
    gate.resumeLater({ resume: () => ran.push('third') })
    gate.resume()
    expect(ran).toEqual(['first', 'second', 'third'])
  })
})

function withResolvers() {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
