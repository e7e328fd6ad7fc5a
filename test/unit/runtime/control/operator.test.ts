import { expect, test } from 'vitest'
import { causes } from '../../../../src/runtime/control/causes.ts'
import { hostOperator } from '../../../../src/runtime/control/operator.ts'

function operatorThat(open: () => void) {
  const log: unknown[] = []
  const host = hostOperator({
    id: 'job/map-0#1/operators/map',
    operator: 'map',
    causes: causes(),
    open,
    finish: () => void log.push('finish'),
    close: () => void log.push('close'),
    failTask: (thrown) => void log.push(thrown),
    failed: (broken) => {
      throw broken
    },
  })
  host.start()
  host.send({ type: 'state.restored' })
  return { host, log }
}

test('an operator is opened, finished and closed, each when it is its turn', () => {
  const { host, log } = operatorThat(() => {})
  expect(host.phase()).toBe('open')
  host.send({ type: 'input.ended' })
  host.send({ type: 'close.requested' })
  expect([host.phase(), log]).toEqual(['closed', ['finish', 'close']])
})

test('an operator whose open throws fails its task with the very object, and is still closed', () => {
  const boom = new RangeError('boom')
  const { host, log } = operatorThat(() => {
    throw boom
  })
  host.send({ type: 'close.requested' })
  expect([host.phase(), log]).toEqual(['failed', [boom, 'close']])
})
