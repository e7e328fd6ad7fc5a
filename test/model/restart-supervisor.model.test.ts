/** Every answer of the restart supervisor to bounded lists of failures, each replayed against the real host. */
import { describe, expect, test } from 'vitest'
import type { RestartStrategy } from '#machines/restart-strategies'
import { restartSupervisor as machine } from '#machines/restart-supervisor'
import type { ChartStep } from '../../src/runtime/control/host-chart.ts'
import { restartSupervisor } from '../../src/runtime/control/restart-supervisor.ts'
import { type ExploredEdge, explore, inWords, unusedTransitions } from './explore.ts'
import { neverReached } from './never-reached.ts'

const STRATEGIES: readonly RestartStrategy[] = [
  { type: 'none' },
  { type: 'fixed-delay', attempts: 2, delayMs: 10 },
  { type: 'failure-rate', maxFailuresPerInterval: 1, failureRateIntervalMs: 25, delayMs: 5 },
  {
    type: 'exponential-delay',
    initialBackoffMs: 10,
    maxBackoffMs: 40,
    backoffMultiplier: 2,
    resetBackoffThresholdMs: 50,
    jitterFactor: 0.5,
    attemptsBeforeResetBackoff: 2,
  },
]
const MOST_FAILURES = 4

interface Environment {
  readonly failures: number
  readonly atMs: number
}

/** The next failure comes at once, soon, or late; the random number is the lowest or the highest. */
const walk = (strategy: RestartStrategy) =>
  explore(machine, {
    input: { strategy },
    environment: { failures: 0, atMs: 0 } as Environment,
    facts: (_, { failures, atMs }) =>
      failures === MOST_FAILURES
        ? []
        : [0, 20, 120].flatMap((laterMs) =>
            [0, 0.999].map((random) => ({
              fact: { type: 'failure.reported' as const, attempt: failures + 1, atMs: atMs + laterMs, random },
              environment: { failures: failures + 1, atMs: atMs + laterMs },
            })),
          ),
    limit: 20_000,
  }).edges

type Edge = ExploredEdge<typeof machine>
const walks = STRATEGIES.map((strategy) => ({ strategy, edges: walk(strategy) }))
const of = (type: RestartStrategy['type']): readonly Edge[] =>
  walks.find(({ strategy }) => strategy.type === type)?.edges ?? []

describe('the restart supervisor', () => {
  test('is walked completely: every state is reached and every transition taken', () => {
    const edges = walks.flatMap((each) => each.edges)
    expect(neverReached(machine, edges)).toEqual([])
    expect(unusedTransitions(machine, edges)).toEqual([])
  })

  test.each(walks)(
    '$strategy.type: the host answers every failure with exactly what the chart orders',
    ({ strategy, edges }) => {
      for (const { path, fact, after, orders } of edges) {
        const steps: ChartStep[] = []
        const answers: unknown[] = []
        const randoms = [...path, fact].map(({ random }) => random)
        const host = restartSupervisor({
          id: 'job/restarts',
          strategy,
          random: { next: () => randoms.shift() ?? 0 },
          granted: (answer) => answers.push(answer),
          denied: (answer) => answers.push(answer),
          failed: (broken) => {
            throw broken
          },
          tap: { stepped: (step) => steps.push(step) },
        })
        host.start()
        for (const failure of [...path, fact]) host.ask(failure)
        expect(steps.at(-1), inWords([...path, fact])).toMatchObject({ value: after.value, orders })
        expect(answers).toHaveLength(path.length + 1)
        expect(answers.at(-1)).toEqual(orders[0])
      }
    },
  )

  test('gives one answer to each failure, and it carries the attempt that failed', () => {
    for (const { fact, orders } of walks.flatMap(({ edges }) => edges)) {
      expect(orders).toHaveLength(1)
      expect(orders[0]?.attempt).toBe(fact.attempt)
    }
  })

  test('without a strategy no restart is ever granted', () => {
    for (const { after } of of('none')) expect(after.value).toBe('denied')
  })

  test('a fixed delay grants exactly its number of attempts, each after the same delay', () => {
    for (const { path, orders } of of('fixed-delay'))
      expect(orders[0]).toMatchObject(path.length < 2 ? { type: 'grantRestart', delayMs: 10 } : { type: 'denyRestart' })
  })

  test('a failure rate denies exactly the failure that follows another within the interval', () => {
    for (const { path, fact, orders } of of('failure-rate')) {
      const last = path.at(-1)
      const within = last !== undefined && fact.atMs - last.atMs <= 25
      expect(orders[0]?.type, inWords([...path, fact])).toBe(within ? 'denyRestart' : 'grantRestart')
    }
  })

  test('an exponential delay stays between the initial and the largest one, jitter included', () => {
    for (const { orders } of of('exponential-delay')) {
      const order = orders[0]
      if (order?.type !== 'grantRestart' || !order.newAttempt) continue
      expect(order.delayMs).toBeGreaterThanOrEqual(10)
      expect(order.delayMs).toBeLessThanOrEqual(40)
    }
  })

  test('a failure that joins a pending restart neither postpones it nor costs an attempt', () => {
    for (const { before, after, fact, orders } of of('exponential-delay')) {
      if (orders[0]?.newAttempt !== false) continue
      expect(after.context.memory.nextRestartMs).toBe(before.context.memory.nextRestartMs)
      expect(after.context.memory.attempts).toBe(before.context.memory.attempts)
      if (orders[0].type === 'grantRestart')
        expect(fact.atMs + orders[0].delayMs).toBe(before.context.memory.nextRestartMs)
    }
  })

  test('options outside their range are refused by name, each of them', () => {
    const bad: readonly RestartStrategy[] = [
      { type: 'fixed-delay', attempts: -1, delayMs: -1 },
      { type: 'failure-rate', maxFailuresPerInterval: 0, failureRateIntervalMs: 0, delayMs: -1 },
      {
        type: 'exponential-delay',
        initialBackoffMs: 0,
        maxBackoffMs: -1,
        backoffMultiplier: 1,
        resetBackoffThresholdMs: 0,
        jitterFactor: 2,
        attemptsBeforeResetBackoff: 0,
      },
    ]
    const problems = bad.map((strategy) => {
      try {
        restartSupervisor({ id: 'r', strategy, random: { next: () => 0 }, granted() {}, denied() {}, failed() {} })
      } catch (thrown) {
        const { code, details } = thrown as { code: string; details: { problems: readonly string[] } }
        return [code, details.problems.length]
      }
      return []
    })
    expect(problems).toEqual([
      ['RESTART_STRATEGY_INVALID', 2],
      ['RESTART_STRATEGY_INVALID', 3],
      ['RESTART_STRATEGY_INVALID', 7],
    ])
  })
})
