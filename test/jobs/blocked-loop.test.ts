/** A function that computes for too long is warned of by the name of its operator, seldom; and counted. */
import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../src/base/logger.ts'
import { type Configuration, WatermarkStrategy } from '../../src/index.ts'
import { World } from './harness.ts'
import { Ledger, ticks } from './parts.ts'

function watchedWorld(configuration: Configuration = {}) {
  const world = new World()
  const warnings: string[] = []
  Object.assign(world.ports, { logger: { ...silentLogger, warn: (text: string) => void warnings.push(text) } })
  const env = world.env().configure({ 'execution.blocked-loop-warning': '1 s', ...configuration })
  /** Stands still for so long at these values. */
  const blocks = (ms: number, at: (value: number) => boolean) => (value: number) => {
    if (at(value)) world.clock.skip(ms)
    return value
  }
  const source = (everyMs: number, count = 20) =>
    env.fromSource(ticks(world, count, everyMs), WatermarkStrategy.noWatermarks(), 'ticks')
  return { world, warnings, env, blocks, source }
}

describe('A step that holds the event loop', () => {
  it('is warned of with task, operator and time, at most once a minute', async () => {
    const { world, warnings, env, blocks, source } = watchedWorld()
    source(10_000)
      .rebalance()
      .map(blocks(1_500, () => true))
      .name('slow')
      .rebalance()
      .sinkTo(new Ledger())
    await world.until(env.execute('x'))
    expect(warnings).toHaveLength(4)
    expect(warnings[0]).toBe(
      'Task "slow (1/1)" held the event loop for 1500 ms in operator "slow": meanwhile no other task, timer or request of the process was served.',
    )
    const task = world.handles[0]?.measurements().find(({ operators }) => operators[0]?.name === 'slow')
    expect(task).toMatchObject({ blockedMs: 20 * 1_500, maxBlockedMs: 1_500, busyMs: 20 * 1_500 })
  })

  it('is found out in a chain at the second time, and the chain is as before ten seconds later', async () => {
    const { world, warnings, env, blocks, source } = watchedWorld()
    const sink = new Ledger<number>()
    source(2_000)
      .map(blocks(0, () => false))
      .name('before')
      .map(blocks(3_000, (value) => value === 3 || value === 4 || value === 15))
      .name('slow')
      .map(blocks(10, () => true))
      .name('behind')
      .sinkTo(sink)
    await world.until(env.execute('x'))
    expect(warnings).toEqual([
      expect.stringContaining('3010 ms in one of "Source: ticks", "before", "slow", "behind", "Sink: Unnamed"'),
      expect.stringContaining('3010 ms in operator "slow"'),
    ])
    expect(sink.committed).toHaveLength(20)
  })

  it('is found out where the source or the sink is the one', async () => {
    for (const where of ['source', 'sink']) {
      const { world, warnings, env, blocks } = watchedWorld()
      const slow = blocks(2_000, (value) => value === 3 || value === 4)
      const still = (value: number) => value
      const stamped = WatermarkStrategy.noWatermarks<number>().withTimestampAssigner(where === 'source' ? slow : still)
      const generated = env.fromSource(ticks(world, 20, 10), stamped, 'ticks')
      generated
        .map(still)
        .sinkTo(new Ledger<number>({ write: (value) => void (where === 'sink' ? slow : still)(value) }))
      await world.until(env.execute('x'))
      expect(warnings.at(-1)).toContain(where === 'source' ? 'operator "Source: ticks"' : 'operator "Sink: ')
    }
  })

  it('is not warned of below the limit, with the option off, or where a promise is waited for', async () => {
    for (const [limit, tookMs] of [
      ['1 s', 999],
      [0, 5_000],
    ] as const) {
      const { world, warnings, env, blocks, source } = watchedWorld({ 'execution.blocked-loop-warning': limit })
      source(10)
        .map(blocks(tookMs, () => true))
        .sinkTo(new Ledger({ write: () => world.sleep(5_000) }))
      await world.until(env.execute('x'))
      expect(warnings).toEqual([])
      expect(world.handles[0]?.measurements()[0]).toMatchObject({ blockedMs: 0, maxBlockedMs: 0 })
    }
  })
})
