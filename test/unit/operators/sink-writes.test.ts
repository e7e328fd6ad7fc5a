/** A writer that waits, behind a function that emits several records in one call. */
import { expect, it } from 'vitest'
import { RestartStrategies } from '../../../src/index.ts'
import { describeJobs } from '../../jobs/harness.ts'
import { Ledger, range } from '../../jobs/parts.ts'

describeJobs('A sink whose writes wait', (newWorld) => {
  it('is given one record after the other, in order, however many one call emits', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50)
    let inside = 0
    let most = 0
    const order: number[] = []
    const sink = new Ledger<number>({
      write: async (value) => {
        most = Math.max(most, ++inside)
        await world.sleep(5 + (value % 3))
        order.push(value)
        inside--
      },
    })
    env
      .fromSequence(0, 9)
      .process<number>(() => ({
        processElement(value, _, out) {
          for (const part of range(0, 4)) out.collect(value * 5 + part)
        },
      }))
      .sinkTo(sink)
    await world.until(env.execute('x'))
    expect(most).toBe(1)
    expect(order).toEqual(range(0, 49))
    expect(sink.committed).toEqual(range(0, 49))
  })

  it('loses none and doubles none when one of them fails', async () => {
    const world = newWorld()
    const env = world.env().setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 10))
    env.enableCheckpointing(20)
    let failed = false
    const sink = new Ledger<number>({
      write: async (value) => {
        await world.sleep(5)
        if (value !== 28 || failed) return
        failed = true
        throw new Error('down')
      },
    })
    env
      .fromSequence(0, 9)
      .process<number>(() => ({
        processElement(value, _, out) {
          for (const part of range(0, 4)) out.collect(value * 5 + part)
        },
      }))
      .sinkTo(sink)
    await world.until(env.execute('x'))
    expect(world.ofType('restart.scheduled').map(({ error }) => (error as Error).message)).toEqual(['down'])
    expect(sink.committed).toEqual(range(0, 49))
  })

  it('writes nothing any more when the job was cancelled meanwhile', async () => {
    const world = newWorld()
    const env = world.env()
    const sink = new Ledger<number>({ write: () => world.sleep(50) })
    env
      .fromSequence(0, 0)
      .process<number>(() => ({
        processElement(_value, _, out) {
          for (const part of range(0, 4)) out.collect(part)
        },
      }))
      .sinkTo(sink)
    const client = await world.until(env.executeAsync('x'))
    await world.advance(60)
    await world.until(client.cancel())
    await world.advance(500)
    expect(sink.written).toEqual([0, 1])
  })
})
