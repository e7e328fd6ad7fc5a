import { expect, test } from 'vitest'
import { Blame } from '../../../src/runtime/blame.ts'

test('whoever is blamed first for an object stays it: the others passed it on', () => {
  const blame = new Blame()
  const thrown = new Error('x')
  expect(blame.put('inner', thrown)).toBe(thrown)
  blame.put('outer', thrown)
  blame.put('outer', undefined)
  expect([blame.of(thrown), blame.of(undefined), blame.of(new Error('x'))]).toEqual(['inner', 'outer', undefined])
})

test('of a thousand that were thrown it keeps the newest', () => {
  const blame = new Blame()
  const all = Array.from({ length: 1000 }, (_, index) => new Error(`${index}`))
  for (const thrown of all) blame.put('one', thrown)
  expect(all.filter((thrown) => blame.of(thrown) !== undefined)).toEqual(all.slice(-16))
})
