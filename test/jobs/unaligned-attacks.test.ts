/** What is done to a job while records overtaken by a checkpoint are captured, stored or restored: never does one get lost or doubled. */
import { expect, it } from 'vitest'
import { type JobClient, RestartStrategies, WatermarkStrategy } from '../../src/index.ts'
import type { ChartStep } from '../../src/runtime/control/host-chart.ts'
import { gate, strays } from './checkpoint-parts.ts'
import { describeJobs, type World } from './harness.ts'
import { byNumber, Ledger, range, ticks } from './parts.ts'
import { holding, numberedOf, overtaking, pressed } from './unaligned-parts.ts'

const COUNT = 60
const SLOW_MS = 4
const slowly = (world: World) => world.sleep(SLOW_MS)

const isCapturing = ({ id, value }: ChartStep) => id.endsWith('/alignment') && value === 'capturing'
const isRecovering = ({ id, value }: ChartStep) =>
  id.endsWith('/task') && (value as { readonly initializing?: string }).initializing === 'recovering'

describeJobs('Records in flight', (newWorld, link) => {
  it.each(['failure', 'cancel', 'suspend'] as const)('are exact whatever captures them at a %s', async (what) => {
    for (const nth of link === 'direct' ? [1, 4] : [2, 5]) {
      let seen = 0
      let down = false
      let client: JobClient | undefined
      const world: World = newWorld({
        tap: {
          stepped(step) {
            if (!isCapturing(step) || ++seen !== nth) return
            queueMicrotask(() => {
              if (what === 'failure') down = true
              else void client?.[what]()
            })
          },
        },
      })
      const sink = new Ledger<string>({
        write: () => {
          if (down) {
            down = false
            throw new Error('down')
          }
          return slowly(world)
        },
      })
      const run = async (resume?: 'latest') => {
        const env = overtaking(world)
        pressed(env, world, sink, { count: COUNT })
        client = await world.until(env.executeAsync('x', { resume }))
        await world.until(client.getJobExecutionResult().catch(() => {}))
      }
      await run()
      expect(seen).toBeGreaterThanOrEqual(nth)
      if (what !== 'failure') {
        expect(world.statuses().at(-1)).toBe(what === 'cancel' ? 'CANCELED' : 'SUSPENDED')
        await world.advance(20)
        expect(strays(world)).toEqual([])
        await run('latest')
      } else expect(world.statuses()).toContain('RESTARTING')
      expect(holding(world).length).toBeGreaterThan(0)
      expect(sink.committed.toSorted()).toEqual(numberedOf(COUNT))
      expect(strays(world)).toEqual([])
    }
  })

  it('come back the same when the task fails while it processes them, again and again', async () => {
    const world = newWorld()
    const attempts: string[][] = []
    /** After so many records of the attempt. */
    const ends = [9, 3, 6, Number.POSITIVE_INFINITY]
    const sink = new Ledger<string>({
      open: () => void attempts.push([]),
      write: async (value) => {
        const attempt = attempts.at(-1) as string[]
        attempt.push(value)
        await slowly(world)
        if (holding(world).length > 0 && attempt.length >= (ends[attempts.length - 1] as number))
          throw new Error('down')
      },
    })
    const env = overtaking(world)
    pressed(env, world, sink, { count: COUNT, parallelism: 1 })
    await world.until(env.execute('x'))
    expect(world.steps.filter(isRecovering).length).toBeGreaterThan(4)
    expect(attempts).toHaveLength(4)
    const [, first, second, third] = attempts as [string[], string[], string[], string[]]
    expect([first.length, second.slice(0, 3)]).toEqual([3, first])
    expect(third.slice(0, 6)).toEqual(second)
    expect(sink.committed.toSorted()).toEqual(numberedOf(COUNT))
  })

  it.each(['cancel', 'suspend'] as const)(
    'that are being processed again are still in the checkpoint after a %s',
    async (what) => {
      const world = newWorld()
      const sink = new Ledger<string>({ write: () => slowly(world) })
      const start = (resume?: 'latest') => {
        const env = overtaking(world)
        pressed(env, world, sink, { count: COUNT })
        return world.until(env.executeAsync('x', { resume }))
      }
      let client = await start()
      await world.when(() => holding(world).length > 1)
      await world.until(client[what]())
      for (let times = 0; times < 2; times++) {
        client = await start('latest')
        const written = sink.written.length
        await world.when(() => sink.written.length > written)
        expect(world.ofType('task.status').findLast(({ vertex }) => vertex.includes('slow'))?.status).toBe(
          'INITIALIZING',
        )
        await world.until(client[what]())
      }
      await world.until((await start('latest')).getJobExecutionResult())
      expect(sink.committed.toSorted()).toEqual(numberedOf(COUNT))
      expect(strays(world)).toEqual([])
    },
  )
})
