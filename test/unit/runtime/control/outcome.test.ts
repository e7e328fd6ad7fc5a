import { expect, test } from 'vitest'
import { allOf, outcome } from '../../../../src/runtime/control/outcome.ts'

test('waiting for all ends when the last has settled, with the first failure in the list', async () => {
  const [one, two, three] = [outcome(), outcome(), outcome()]
  const log: unknown[] = []
  const all = allOf([one.promise, undefined, two.promise, three.promise]).catch((reason) => log.push(reason))
  three.reject('third')
  two.reject('second')
  await new Promise((resolve) => setImmediate(resolve))
  expect(log).toEqual([])
  one.resolve()
  await all
  expect(log).toEqual(['second'])
})

test('an outcome that nobody waits for may fail in silence', async () => {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', note)
  const failed = outcome()
  failed.reject('nobody cares')
  allOf([failed.promise])
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
})
