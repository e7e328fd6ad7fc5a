import { describe, expect, test } from 'vitest'
import { setup } from 'xstate'
import { explore, inWords, unusedTransitions } from './explore.ts'

const turnstile = setup({
  types: {
    context: {} as { coins: number },
    events: {} as { type: 'coin.dropped'; worth: number } | { type: 'bar.pushed' } | { type: 'alarm.rang' },
    emitted: {} as { type: 'openBar'; coins: number },
    input: {} as { coins: number },
  },
})
const paid = turnstile.enqueueActions(({ context, enqueue }) => {
  enqueue.assign({ coins: context.coins + 1 })
  enqueue.emit({ type: 'openBar', coins: context.coins + 1 })
})
const chart = turnstile.createMachine({
  id: 'turnstile',
  context: ({ input }) => ({ coins: input.coins }),
  initial: 'locked',
  states: {
    locked: {
      on: {
        'coin.dropped': [
          { guard: ({ event }) => event.worth > 0, target: 'open', actions: paid },
          { target: 'jammed' },
        ],
      },
    },
    open: { on: { 'bar.pushed': 'locked', 'alarm.rang': 'jammed' } },
    jammed: {},
  },
})

/** Two coins at most. */
const purse = {
  input: { coins: 0 },
  environment: { left: 2 },
  facts: (_: unknown, { left }: { left: number }) => [
    { fact: { type: 'bar.pushed' } as const, environment: { left } },
    ...(left === 0 ? [] : [{ fact: { type: 'coin.dropped', worth: 1 } as const, environment: { left: left - 1 } }]),
  ],
  limit: 100,
}

describe('the walk over a chart', () => {
  test('finds every state and every edge that the environment allows, with shortest paths and orders', () => {
    const { states, edges } = explore(chart, purse)
    expect(states).toHaveLength(7)
    expect(edges).toHaveLength(10)
    const second = edges.find(({ orders }) => orders[0]?.coins === 2)
    expect(second?.path.map(({ type }) => type)).toEqual(['coin.dropped', 'bar.pushed'])
    expect([second?.before.value, second?.after.value, second?.after.context.coins]).toEqual(['locked', 'open', 2])
  })

  test('names the transitions that were not tried, each candidate by itself', () => {
    expect(unusedTransitions(chart, explore(chart, purse).edges)).toEqual([
      'locked: coin.dropped → jammed',
      'open: alarm.rang → jammed',
    ])
  })

  test('ends with an error when the environment never runs dry, unless the identity forgets what grows', () => {
    const endless = {
      ...purse,
      facts: (_: unknown, environment: { left: number }) =>
        (['coin.dropped', 'bar.pushed'] as const).map((type) => ({ fact: { type, worth: 1 }, environment })),
    }
    expect(() => explore(chart, endless)).toThrow('limit')
    const identity = ({ value }: { readonly value: unknown }) => JSON.stringify(value)
    expect(explore(chart, { ...endless, identity }).states).toHaveLength(2)
  })

  test('tells a path in words', () => {
    expect(inWords([{ type: 'bar.pushed' }, { type: 'coin.dropped', worth: 1 } as { type: string }])).toBe(
      '1. bar.pushed\n2. coin.dropped {"worth":1}',
    )
  })
})
