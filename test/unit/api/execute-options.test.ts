import { describe, expect, test } from 'vitest'
import { DiscardingSink, StreamExecutionEnvironment } from '../../../src/index.ts'
import { World } from '../../jobs/harness.ts'

const program = (world: World): StreamExecutionEnvironment => {
  const env = world.env()
  env.fromData([1]).sinkTo(new DiscardingSink())
  return env
}

describe('From plain JavaScript execute', () => {
  test.each([
    ['signal', {}],
    ['signal', new AbortController()],
    ['signal', 'abort'],
    ['resume', 'newest'],
    ['resume', true],
    ['claimMode', 'LEGACY'],
    ['fromSavepoint', ''],
    ['fromSavepoint', 5],
    ['takeover', 'yes'],
    ['allowNonRestoredState', 1],
  ])('refuses the option %s of value %o, and starts nothing', async (name, value) => {
    const world = new World()
    const failure = await world.failure(program(world).execute('x', { [name]: value } as never))
    expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(name) })
    expect(world.handles).toEqual([])
  })

  test.each([[5], [{}], [null]])('refuses the name %o', async (name) => {
    const world = new World()
    const failure = await world.failure(program(world).execute(name as never))
    expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT', hint: expect.stringContaining('a string as name') })
  })

  test('refuses options that are none', async () => {
    for (const options of [null, 'x', 1]) {
      const world = new World()
      expect(await world.failure(program(world).execute('x', options as never))).toMatchObject({
        code: 'INVALID_ARGUMENT',
      })
    }
  })

  test('takes options that are there and undefined', async () => {
    const world = new World()
    const options = { signal: undefined, resume: undefined, claimMode: undefined, takeover: undefined }
    const { jobId } = await world.until(program(world).execute(undefined, options))
    expect(jobId).toMatch(/^[0-9a-f]{32}$/)
  })
})

describe('The library in a process', () => {
  test('installs no listeners, prints nothing and leaves nothing open, however its jobs end', async () => {
    const signals = ['SIGINT', 'SIGTERM', 'exit', 'beforeExit', 'uncaughtException', 'unhandledRejection', 'warning']
    const before = signals.map((name) => process.listenerCount(name))
    const written: unknown[] = []
    const streams = [process.stdout, process.stderr]
    const write = streams.map((stream) => stream.write)
    for (const stream of streams)
      stream.write = (chunk: unknown) => {
        written.push(chunk)
        return true
      }
    try {
      for (const fails of [false, true]) {
        const env = StreamExecutionEnvironment.getExecutionEnvironment()
        env.enableCheckpointing(10).configure({ 'restart-strategy.type': 'none', 'no.such.key': 1 })
        env
          .fromSequence(1, 100)
          .map((value) => {
            if (fails) throw new Error('down')
            return value
          })
          .sinkTo(new DiscardingSink())
        const client = await env.executeAsync('x')
        for await (const _ of client.events());
        await client.getJobExecutionResult().catch(() => {})
      }
    } finally {
      streams.forEach((stream, index) => {
        stream.write = write[index] as typeof stream.write
      })
    }
    expect(written).toEqual([])
    expect(signals.map((name) => process.listenerCount(name))).toEqual(before)
  })
})
