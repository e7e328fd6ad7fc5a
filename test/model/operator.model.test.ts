/** Every state and fact of an operator's life, each replayed against the real host. */
import { describe, expect, test } from 'vitest'
import type { Cause } from '#machines/cause'
import { type OperatorFact, operator } from '#machines/operator'
import { causes } from '../../src/runtime/control/causes.ts'
import type { ChartStep } from '../../src/runtime/control/host-chart.ts'
import { hostOperator } from '../../src/runtime/control/operator.ts'
import { explore, inWords, unusedTransitions } from './explore.ts'
import { neverReached } from './never-reached.ts'

const cause: Cause = { code: 'USER_FUNCTION_FAILED', message: 'boom', restartHelps: true, thrown: null }
const FACTS: readonly OperatorFact[] = [
  { type: 'state.restored' },
  { type: 'operator.opened' },
  { type: 'input.ended' },
  { type: 'operator.finished' },
  { type: 'close.requested' },
  { type: 'operator.closed' },
  { type: 'operator.failed', cause },
]

const { edges } = explore(operator, {
  input: { operator: 'map' },
  environment: null,
  facts: () => FACTS.map((fact) => ({ fact, environment: null })),
  limit: 1000,
})

/** Answers come as facts here, never from the work itself. */
const NEVER = new Promise<never>(() => {})

function replay(facts: readonly OperatorFact[]) {
  const steps: ChartStep[] = []
  const did: string[] = []
  const begins = (what: string) => () => {
    did.push(what)
    return NEVER
  }
  const host = hostOperator({
    id: 'job/map-0#1/operators/map',
    operator: 'map',
    causes: causes(),
    open: begins('openOperator'),
    finish: begins('finishOperator'),
    close: begins('closeOperator'),
    failTask: () => did.push('failTask'),
    failed: (broken) => {
      throw broken
    },
    tap: { stepped: (step) => steps.push(step) },
  })
  host.start()
  for (const fact of facts) host.send(fact)
  return { last: steps.at(-1), did }
}

describe('an operator', () => {
  test('is walked completely: every state is reached and every transition taken', () => {
    expect(neverReached(operator, edges)).toEqual([])
    expect(unusedTransitions(operator, edges)).toEqual([])
  })

  test('its host does on every edge what the chart orders, and nothing else', () => {
    for (const { path, fact, after, orders } of edges) {
      const { last, did } = replay([...path, fact])
      expect(last, inWords([...path, fact])).toMatchObject({ fact, value: after.value, orders })
      expect(did.slice(did.length - orders.length)).toEqual(orders.map(({ type }) => type))
    }
  })

  test('is opened once, finished once, and finished only after it was opened', () => {
    for (const { path, fact } of edges) {
      const { did } = replay([...path, fact])
      const count = (what: string) => did.filter((each) => each === what).length
      expect(count('openOperator')).toBeLessThanOrEqual(1)
      expect(count('finishOperator')).toBeLessThanOrEqual(1)
      if (count('finishOperator') === 1) expect(did.indexOf('openOperator')).toBeLessThan(did.indexOf('finishOperator'))
    }
  })

  test('that never was restored is closed without a call of close', () => {
    for (const { before, fact, orders } of edges)
      if (before.value === 'created' && fact.type === 'close.requested') expect(orders).toEqual([])
  })

  test('closed is the end: no fact leads out of it or orders anything', () => {
    for (const { before, after, orders } of edges)
      if (before.value === 'closed') expect([after.value, orders]).toEqual(['closed', []])
  })

  test('a failure is reported once, and what failed is still closed', () => {
    for (const { before, fact, after, orders } of edges) {
      if (before.value !== 'failed') continue
      expect(after.value).toBe('failed')
      expect(orders).toEqual(fact.type === 'close.requested' ? [{ type: 'closeOperator' }] : [])
    }
  })
})
