import { afterAll, describe, expect, it } from 'vitest'
import { systemProcessFacts } from '../../../src/base/system-process-facts.ts'

const facts = systemProcessFacts()
afterAll(() => facts.close())

describe('What the process says of itself', () => {
  it('is what the system knows', () => {
    const memory = facts.memory()
    expect(memory.heapUsedBytes).toBeLessThanOrEqual(memory.heapLimitBytes)
    expect(memory.residentBytes).toBeLessThan(memory.machineTotalBytes)
    expect(facts.cpu().usedMs).toBeGreaterThan(0)
    expect(facts.pid).toBe(process.pid)
    expect(facts.eventLoop().utilization).toBeLessThanOrEqual(1)
  })

  it.runIf(process.platform === 'linux')('has threads and open files where the system tells', () => {
    expect(facts.threads()).toBeGreaterThan(1)
    const files = facts.fileDescriptors()
    expect(files?.open).toBeGreaterThan(2)
    expect(files?.open).toBeLessThan(files?.max ?? 0)
  })

  it('says nothing of delays that were not measured', () => {
    facts.eventLoop()
    expect(facts.eventLoop()).toMatchObject({ delayMeanMs: null, delayP99Ms: null, delayMaxMs: null })
  })
})
