import { describe, expect, test } from 'vitest'
import { editDistance, nearestKey } from '../../../../src/base/config/nearest-key.ts'
import { knownNames } from '../../../../src/base/config/options.ts'

describe('the nearest key', () => {
  test.each([
    ['execution.checkpointing.intervall', 'execution.checkpointing.interval'],
    ['exeuction.checkpointing.interval', 'execution.checkpointing.interval'],
    ['Execution.Checkpointing.Interval', 'execution.checkpointing.interval'],
    ['checkpointing.interval', 'execution.checkpointing.interval'],
    ['restart-strategy.typ', 'restart-strategy.type'],
    ['paralellism.default', 'parallelism.default'],
  ])('of %s is %s', (key, nearest) => {
    expect(nearestKey(key, knownNames())).toBe(nearest)
  })

  test('is none where nothing is like it', () => {
    expect(nearestKey('taskmanager.numberOfTaskSlots', knownNames())).toBeUndefined()
    expect(nearestKey('x', ['abcd', 'efgh'])).toBeUndefined()
  })

  test('is counted in letters to insert, delete, replace or swap', () => {
    expect(editDistance('kitten', 'sitting')).toBe(3)
    expect(editDistance('abcd', 'abdc')).toBe(1)
    expect(editDistance('', 'abc')).toBe(3)
    expect(editDistance('abc', 'abc')).toBe(0)
  })
})
