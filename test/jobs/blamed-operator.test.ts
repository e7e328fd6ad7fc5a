/** A job that fails says in which operator that was, and its cause stays the very object that was thrown. */
import { expect, it } from 'vitest'
import {
  defineSource,
  RestartStrategies,
  type SingleOutputStreamOperator,
  type StreamExecutionEnvironment,
  WatermarkStrategy,
} from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger } from './parts.ts'

const thrown = new RangeError('no two')

const refuseTwo = (value: number): number => {
  if (value === 2) throw thrown
  return value
}

/** TypeScript would refuse it. */
const promised = (value: number) => Promise.resolve(value) as unknown as number

interface Place {
  readonly operator: string | undefined
  declare(env: StreamExecutionEnvironment): SingleOutputStreamOperator<number>
  readonly sink?: ConstructorParameters<typeof Ledger<number>>[0]
}

const numbers = (env: StreamExecutionEnvironment) => env.fromData([1, 2, 3]).map((value) => value)

const places: Readonly<Record<string, Place>> = {
  'an operator at the end of a chain, called from inside of those before it': {
    operator: 'last',
    declare: (env) =>
      numbers(env)
        .process<number>(() => ({ processElement: (value, _, out) => out.collect(value) }))
        .name('first')
        .map(refuseTwo)
        .name('last'),
  },
  'one whose neighbour has thrown before, and was forgiven': {
    operator: 'forgiving',
    declare: (env) =>
      numbers(env)
        .process<number>(() => ({
          processElement(value, _, out) {
            try {
              out.collect(value)
            } catch {
              // Of the next one.
            }
            if (value === 3) throw thrown
          },
        }))
        .name('forgiving')
        .map((value) => {
          if (value === 2) throw new Error('forgiven')
          return value
        })
        .name('forgiven'),
  },
  'a sink': {
    operator: 'Sink: ledger',
    declare: numbers,
    sink: { write: (value) => void refuseTwo(value) },
  },
  'what belongs to no operator': {
    operator: undefined,
    declare: (env) =>
      env.fromSource<number>(
        defineSource<number, number>({
          boundedness: 'bounded',
          splits() {
            throw thrown
          },
          async *read() {},
        }),
        WatermarkStrategy.noWatermarks(),
        'source',
      ),
  },
}

describeJobs('A failed job', (newWorld) => {
  const failing = (world: World, { declare, sink }: Place, env = world.env()) => {
    declare(env).sinkTo(new Ledger<number>(sink)).name('ledger')
    return world.failure(env.execute('x'))
  }

  it.each(Object.keys(places))('names the operator in which it was thrown: %s', async (name) => {
    const place = places[name] as Place
    const failure = await failing(newWorld(), place)
    const { operator } = place
    expect(failure.message).toBe(
      `Job "x" failed${operator === undefined ? '' : ` in operator "${operator}"`}: no two (the job has no restart strategy)`,
    )
    expect(failure.details).toEqual({ status: 'FAILED', ...(operator === undefined ? {} : { operator }) })
    expect(failure.cause).toBe(thrown)
  })

  it('names that of the last attempt', async () => {
    const world = newWorld()
    const env = world.env().setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 10))
    const at = (attempt: number) => (input: SingleOutputStreamOperator<number>) =>
      input
        .process<number>((context) => ({
          processElement(value, _, out) {
            if (context.attemptNumber === attempt) refuseTwo(value)
            out.collect(value)
          },
        }))
        .name(`of attempt ${attempt}`)
    const failure = await failing(world, { operator: '', declare: (given) => at(1)(at(0)(numbers(given))) }, env)
    expect(failure.message).toContain('in operator "of attempt 1"')
  })

  it('says it once where the message names it already', async () => {
    const place: Place = {
      operator: 'late',
      declare: (env) => numbers(env).map<number>(promised).name('late'),
    }
    const { message } = await failing(newWorld(), place)
    expect(message.split('"late"')).toHaveLength(2)
  })

  it('says it once also where it is the user’s own message that names it', async () => {
    const refuse = () => {
      throw new Error('"late" takes no more')
    }
    const place: Place = { operator: 'late', declare: (env) => numbers(env).map<number>(refuse).name('late') }
    const failure = await failing(newWorld(), place)
    expect(failure.message).toMatch(/^Job "x" failed: "late" takes no more/)
    expect(failure.details).toMatchObject({ operator: 'late' })
  })
})
