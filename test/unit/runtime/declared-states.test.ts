import { describe, expect, test } from 'vitest'
import {
  AggregatingStateDescriptor,
  CollectSink,
  DiscardingSink,
  FileSink,
  FileSource,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  type RuntimeContext,
  type StreamExecutionEnvironment,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../../src/index.ts'
import type { Source } from '../../../src/operators/source.ts'
import { type DeclaredStates, declaredStates } from '../../../src/runtime/declared-states.ts'
import { operatorsOf } from '../../../src/runtime/placed-operators.ts'
import { Launchpad } from '../api/started-job.ts'
import { serializer } from './plan-fixture.ts'

async function declaredBy(declare: (env: StreamExecutionEnvironment) => void): Promise<readonly DeclaredStates[]> {
  const pad = new Launchpad()
  declare(pad.env)
  await pad.env.execute('job')
  return operatorsOf(pad.last().graph).map(({ vertex, index }) => declaredStates(vertex, index, 'job'))
}

async function ofFunction(create: (ctx: RuntimeContext) => void): Promise<DeclaredStates> {
  const declared = await declaredBy((env) => {
    const keyed = env.fromData([1]).keyBy((value) => value)
    keyed
      .process<number>((ctx) => {
        create(ctx)
        return { processElement() {} }
      })
      .sinkTo(new DiscardingSink())
  })
  return declared[1] as DeclaredStates
}

const shown = ({ states }: DeclaredStates) =>
  states.map(
    ({ type, kind, name, serializers }) =>
      `${type} ${kind} ${name} ${serializers.map(({ id, version }) => `${id}:${version}`)}`,
  )

describe('The declared states of an operator', () => {
  test('are what its function asks for when it is made, and its timers', async () => {
    const declared = await ofFunction((ctx) => {
      ctx.getState(new ValueStateDescriptor<number>('v', { ttl: { ttl: '1 d' } }))
      ctx.getListState(new ListStateDescriptor<number>('l', { serializer: serializer('mine', 3) }))
      ctx.getMapState(new MapStateDescriptor<string, number>('m'))
      ctx.getReducingState(new ReducingStateDescriptor<number>('r', (a, b) => a + b))
      ctx.getAggregatingState(
        new AggregatingStateDescriptor<number, number, number>('a', {
          createAccumulator: () => 0,
          add: (value, sum) => value + sum,
          getResult: (sum) => sum,
          merge: (a, b) => a + b,
        }),
      )
    })
    expect(declared.extent).toBe('open')
    expect(shown(declared)).toEqual([
      'keyed value v millrace.value:1,millrace.ttl:1',
      'keyed list l mine:3',
      'keyed map m millrace.value:1',
      'keyed reducing r millrace.value:1',
      'keyed aggregating a millrace.value:1',
      'keyed timers timers/event millrace.timers:1',
      'keyed timers timers/processing millrace.timers:1',
    ])
  })

  test('that are asked for twice are one', async () => {
    const declared = await ofFunction((ctx) => {
      for (let time = 0; time < 2; time++) ctx.getState(new ValueStateDescriptor<number>('v'))
    })
    expect(declared.states.filter(({ name }) => name === 'v')).toHaveLength(1)
  })

  test('are those that it asked for before it threw', async () => {
    const declared = await ofFunction((ctx) => {
      ctx.getState(new ValueStateDescriptor<number>('v'))
      throw new Error('no database')
    })
    expect(declared).toMatchObject({ extent: 'unknown', reason: 'no database', states: [{ name: 'v' }] })
  })

  test('hold nothing: reading or writing one is refused as where there is no key', async () => {
    const declared = await ofFunction((ctx) => ctx.getState(new ValueStateDescriptor<number>('v')).update(1))
    expect(declared).toMatchObject({ extent: 'unknown', reason: expect.stringContaining('key') })
  })

  test('of a function are asked for in an unopened one, made once', async () => {
    const calls: string[] = []
    await declaredBy((env) => {
      env
        .fromData([1])
        .keyBy((value) => value)
        .process<number>(() => {
          calls.push('create')
          return {
            open: () => void calls.push('open'),
            initializeState: () => void calls.push('initializeState'),
            close: () => void calls.push('close'),
            processElement() {},
          }
        })
        .setParallelism(3)
        .sinkTo(new DiscardingSink())
    })
    expect(calls).toEqual(['create'])
  })

  test('of a source are its splits, and no reader is made', async () => {
    const source: Source<number> = {
      boundedness: 'bounded',
      createEnumerator: () => expect.unreachable('no enumerator'),
      createReader: () => expect.unreachable('no reader'),
      splitSerializer: serializer('splits', 4),
    }
    const [declared] = await declaredBy((env) => {
      env.fromSource(source, WatermarkStrategy.noWatermarks(), 'numbers').sinkTo(new DiscardingSink())
    })
    expect(declared?.extent).toBe('made')
    expect(shown(declared as DeclaredStates)).toEqual(['operator split source-splits splits:4'])
  })

  test('of all operators of the house can be asked for, and no file is touched', async () => {
    const rules = new MapStateDescriptor<string, number>('rules')
    const declared = await declaredBy((env) => {
      const lines = env.fromSource(
        FileSource.forLines('/nowhere/*.txt'),
        WatermarkStrategy.forMonotonousTimestamps(),
        'lines',
      )
      const lengths = lines
        .filter((line) => line !== '')
        .map((line) => line.length)
        .flatMap((length) => [length])
      const sums = lengths.keyBy((length) => length).reduce((a, b) => a + b)
      sums
        .connect(lengths.broadcast(rules))
        .process<number>(() => ({ processElement() {}, processBroadcastElement() {} }))
        .sinkTo(FileSink.forJsonLines('/nowhere/out'))
      sums
        .connect(lengths)
        .map(
          (a) => a,
          (b) => b,
        )
        .assignTimestampsAndWatermarks(WatermarkStrategy.forBoundedOutOfOrderness(5))
        .sinkTo(new CollectSink<number>())
    })
    expect(declared.filter(({ extent }) => extent === 'unknown')).toEqual([])
    expect(declared.flatMap(shown)).toEqual(
      expect.arrayContaining([
        'operator split source-splits millrace.value:1',
        'keyed value _op_state millrace.value:1',
        'operator broadcast rules millrace.value:1',
        'operator split sink-committables millrace.value:1',
      ]),
    )
  })
})
