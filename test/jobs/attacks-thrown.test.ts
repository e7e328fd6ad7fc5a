/** Attacks with what is thrown: no errors, and things that cannot be made a text. The job fails with the very object, and does not hang. */
import { expect, test } from 'vitest'
import { DiscardingSink, defineSink, defineSource, RestartStrategies, WatermarkStrategy } from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'

const thrown: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  'a symbol': () => Symbol('down'),
  'an object without prototype': () => Object.create(null),
  'an object whose text cannot be made': () => ({
    toString: () => {
      throw new Error('twice')
    },
  }),
  'an error whose message cannot be read': () =>
    Object.defineProperty(new Error('down'), 'message', {
      get: () => {
        throw new Error('twice')
      },
    }),
  'an error whose message is no text': () =>
    Object.defineProperty(new Error('down'), 'message', { value: Symbol('down') }),
  'a proxy that was revoked': () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  },
}

const raise = (what: unknown): never => {
  throw what
}

const places: Readonly<Record<string, (world: World, what: unknown) => ReturnType<World['env']>>> = {
  'a map': (world, what) => {
    const env = world.env()
    env
      .fromData([1])
      .map<number>(() => raise(what))
      .sinkTo(new DiscardingSink())
    return env
  },
  'the open of a function': (world, what) => {
    const env = world.env()
    env.fromData([1]).process(() => ({ open: () => Promise.reject(what), processElement() {} }))
    return env
  },
  'a source': (world, what) => {
    const env = world.env()
    const source = defineSource<number, number>({
      boundedness: 'bounded',
      splits: () => ['a'],
      start: () => 0,
      // biome-ignore lint/correctness/useYield: it fails before.
      async *read() {
        raise(what)
      },
    })
    env.fromSource(source, WatermarkStrategy.noWatermarks(), 's').sinkTo(new DiscardingSink())
    return env
  },
  'the search for splits': (world, what) => {
    const env = world.env()
    const source = defineSource<number, number>({
      boundedness: 'bounded',
      splits: () => Promise.reject(what),
      start: () => 0,
      async *read() {
        yield { value: 1, position: 1 }
      },
    })
    env.fromSource(source, WatermarkStrategy.noWatermarks(), 's').sinkTo(new DiscardingSink())
    return env
  },
  'a commit': (world, what) => {
    const env = world.env()
    env
      .fromData([1])
      .sinkTo(defineSink({ open: () => ({}), write() {}, prepare: () => 1, commit: () => Promise.reject(what) }))
    return env
  },
  'a snapshot': (world, what) => {
    const env = world.env()
    env.enableCheckpointing(10)
    env.setRestartStrategy(RestartStrategies.noRestart())
    env.fromData([1]).process(() => ({ processElement() {}, initializeState() {}, snapshotState: () => raise(what) }))
    return env
  },
}

describeJobs('A job whose user throws', (newWorld) => {
  test.each(Object.keys(places).flatMap((place) => Object.keys(thrown).map((what) => [what, place] as const)))(
    '%s in %s fails',
    async (what, place) => {
      const world = newWorld()
      const object = thrown[what]?.()
      const env = places[place]?.(world, object)
      const failure = await world.failure(env?.execute('x') ?? Promise.resolve())
      expect(failure.code).toBe('JOB_FAILED')
      if (place === 'a map') expect(failure.cause).toBe(object)
      expect(typeof failure.message).toBe('string')
      expect(world.handles.at(-1)?.status()).toBe('FAILED')
    },
  )
})
