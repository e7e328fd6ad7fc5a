import { describe, expect, test } from 'vitest'
import {
  DiscardingSink,
  ListStateDescriptor,
  MapStateDescriptor,
  type RuntimeContext,
  type StreamExecutionEnvironment,
  ValueStateDescriptor,
} from '../../../src/index.ts'
import { framed } from '../../../src/operators/framed.ts'
import { operatorOf, planOf, serializer, stateOf, storedStates, TIMERS, TTL, table, VALUE } from './plan-fixture.ts'

/** numbers (uid source) → keyed process (uid count), whose function is made by `create`; then a sink (uid sink). */
const counting =
  (create: (ctx: RuntimeContext) => void, settings: { parallelism?: number; maxParallelism?: number } = {}) =>
  (env: StreamExecutionEnvironment) => {
    const counted = env
      .fromData([1, 2, 3])
      .uid('source')
      .keyBy((value) => value)
      .process<number>((ctx) => {
        create(ctx)
        return { processElement() {} }
      })
      .uid('count')
      .setParallelism(settings.parallelism ?? 1)
    if (settings.maxParallelism !== undefined) counted.setMaxParallelism(settings.maxParallelism)
    counted.sinkTo(new DiscardingSink()).uid('sink')
  }

const count = (ctx: RuntimeContext) => void ctx.getState(new ValueStateDescriptor<number>('count'))
const COUNT = { uid: 'count', tables: [table('value', 'count'), ...TIMERS] }

describe('The operators of a plan', () => {
  test('are matched by uid, whatever their name, and a restore of them would succeed', async () => {
    const plan = await planOf(
      storedStates({ ...COUNT, name: 'Old name' }, { uid: 'source' }, { uid: 'sink' }),
      counting(count),
    )
    expect(plan.failure).toBeUndefined()
    expect(plan.operators.map(({ uid, change }) => [uid, change])).toEqual([
      ['source', 'matched'],
      ['count', 'matched'],
      ['sink', 'matched'],
    ])
    expect(operatorOf(plan, 'count').notes).toEqual(['was called "Old name"'])
  })

  test('that are new start empty, which is no failure', async () => {
    const plan = await planOf(storedStates(), counting(count))
    expect(plan.failure).toBeUndefined()
    expect(operatorOf(plan, 'count')).toMatchObject({ change: 'new', parallelism: { stored: undefined, program: 1 } })
    expect(stateOf(plan, 'count', 'count')).toMatchObject({ change: 'new', note: 'starts empty' })
  })

  test('that are gone and had state are orphaned: the restore would fail, and says what a start says', async () => {
    const plan = await planOf(storedStates({ ...COUNT, uid: 'renamed' }), counting(count))
    expect(plan.failure).toMatchObject({ code: 'STATE_NOT_RESTORED', message: expect.stringContaining('"renamed"') })
    expect(operatorOf(plan, 'renamed')).toMatchObject({
      change: 'orphaned',
      failure: { code: 'STATE_NOT_RESTORED' },
      states: [{ name: 'count', change: 'orphaned' }, { name: 'timers/event' }, { name: 'timers/processing' }],
    })
  })

  test('that are orphaned fail before any state is asked for, as at a start', async () => {
    const stored = storedStates({ uid: 'count', tables: [table('list', 'count')] }, { ...COUNT, uid: 'renamed' })
    const plan = await planOf(stored, counting(count))
    expect(plan.failure?.code).toBe('STATE_NOT_RESTORED')
    expect(stateOf(plan, 'count', 'count').failure?.code).toBe('STATE_INCOMPATIBLE')
  })

  test('that are orphaned are left behind with -n, and a warning says so', async () => {
    const plan = await planOf(storedStates({ ...COUNT, uid: 'renamed' }), counting(count), {
      allowNonRestoredState: true,
    })
    expect(plan.failure).toBeUndefined()
    expect(plan.warnings).toEqual(['The state of "renamed" is left behind: allowNonRestoredState is on.'])
  })

  test('that are gone and had no state are no failure', async () => {
    const plan = await planOf(storedStates({ uid: 'map' }), counting(count))
    expect(plan.failure).toBeUndefined()
    expect(operatorOf(plan, 'map')).toMatchObject({ change: 'removed', notes: ['had no state'] })
  })

  test('without a uid are warned of, by name', async () => {
    const plan = await planOf(storedStates(), (env) => {
      env
        .fromData([1])
        .uid('source')
        .map((value) => value)
        .name('double')
        .sinkTo(new DiscardingSink())
        .uid('sink')
    })
    expect(plan.warnings).toEqual([expect.stringMatching(/^1 operator\(s\) have no uid: "double"\./)])
  })

  test('that had finished are not run again, and their states do not matter', async () => {
    const plan = await planOf(
      storedStates({ uid: 'count', finished: true }, { uid: 'sink', finished: true }),
      counting(count),
    )
    expect(operatorOf(plan, 'count')).toMatchObject({
      finished: true,
      states: [],
      notes: expect.arrayContaining(['had finished: is not run again']),
    })
  })

  test('that had finished, and stand in a chain with one that had not, run again', async () => {
    const plan = await planOf(storedStates({ uid: 'count', finished: true }, { uid: 'sink' }), counting(count))
    expect(operatorOf(plan, 'count').notes).toContain('had finished: runs again, with nothing restored')
  })
})

describe('The parallelism of a plan', () => {
  test('may change; the max parallelism is that of the state where the program leaves it open', async () => {
    const plan = await planOf(
      storedStates({ ...COUNT, parallelism: 4, maxParallelism: 200 }),
      counting(count, { parallelism: 7 }),
    )
    expect(plan.failure).toBeUndefined()
    expect(operatorOf(plan, 'count')).toMatchObject({
      parallelism: { stored: 4, program: 7 },
      maxParallelism: { stored: 200, program: undefined },
      failure: undefined,
    })
  })

  test('above the stored maximum would fail, and the states are compared nevertheless', async () => {
    const plan = await planOf(storedStates({ ...COUNT, maxParallelism: 4 }), counting(count, { parallelism: 7 }))
    expect(plan.failure).toMatchObject({
      code: 'PARALLELISM_ABOVE_MAXIMUM',
      message: expect.stringContaining('parallelism 7'),
    })
    expect(operatorOf(plan, 'count').failure?.code).toBe('PARALLELISM_ABOVE_MAXIMUM')
    expect(stateOf(plan, 'count', 'count')).toMatchObject({ change: 'matched', failure: undefined })
    expect(operatorOf(plan, 'sink').failure).toBeUndefined()
  })

  test('above the stored maximum hides no state that would fail as well', async () => {
    const stored = storedStates({ uid: 'count', maxParallelism: 4, tables: [table('list', 'count')] })
    const plan = await planOf(stored, counting(count, { parallelism: 7 }))
    expect(plan.failure?.code).toBe('PARALLELISM_ABOVE_MAXIMUM')
    expect(stateOf(plan, 'count', 'count')).toMatchObject({ change: 'incompatible', note: 'list → value' })
  })

  test('with another maximum in the program would fail', async () => {
    const plan = await planOf(storedStates(COUNT), counting(count, { maxParallelism: 256 }))
    expect(plan.failure?.code).toBe('MAX_PARALLELISM_CHANGED')
    expect(operatorOf(plan, 'count').maxParallelism).toEqual({ stored: 128, program: 256 })
  })
})

describe('The keyed states of a plan', () => {
  const planFor = (stored: ReturnType<typeof table>, create: (ctx: RuntimeContext) => void) =>
    planOf(storedStates({ uid: 'count', tables: [stored, ...TIMERS] }), counting(create))

  test('are matched by name, and timers are among them', async () => {
    const plan = await planFor(table('value', 'count'), count)
    expect(operatorOf(plan, 'count').states.map(({ name, change, note }) => [name, change, note])).toEqual([
      ['count', 'matched', ''],
      ['timers/event', 'matched', ''],
      ['timers/processing', 'matched', ''],
    ])
  })

  test('that have another kind would fail', async () => {
    const plan = await planFor(table('list', 'count'), count)
    expect(stateOf(plan, 'count', 'count')).toMatchObject({
      change: 'incompatible',
      note: 'list → value',
      failure: { code: 'STATE_INCOMPATIBLE' },
    })
    expect(plan.failure?.message).toContain("'count'")
  })

  test('that have another serializer would fail', async () => {
    const plan = await planFor(table('value', 'count', { id: 'mine', version: 1 }), count)
    expect(stateOf(plan, 'count', 'count')).toMatchObject({
      change: 'incompatible',
      note: 'serializer mine → millrace.value',
      failure: { code: 'STATE_INCOMPATIBLE' },
    })
  })

  const versioned = (version: number) => (ctx: RuntimeContext) =>
    void ctx.getState(new ValueStateDescriptor<number>('count', { serializer: serializer('mine', version) }))

  test('of an older version of the serializer are converted', async () => {
    const plan = await planFor(table('value', 'count', { id: 'mine', version: 1 }), versioned(2))
    expect(plan.failure).toBeUndefined()
    expect(stateOf(plan, 'count', 'count')).toMatchObject({
      change: 'matched',
      note: 'serializer version 1 → 2, converted when it is read',
    })
  })

  test('of a newer version of the serializer would fail', async () => {
    const plan = await planFor(table('value', 'count', { id: 'mine', version: 3 }), versioned(2))
    expect(stateOf(plan, 'count', 'count')).toMatchObject({ change: 'incompatible', note: 'serializer version 3 → 2' })
    expect(plan.failure?.code).toBe('STATE_INCOMPATIBLE')
  })

  test('may get or lose a time-to-live', async () => {
    const expiring = (ctx: RuntimeContext) =>
      void ctx.getState(new ValueStateDescriptor<number>('count', { ttl: { ttl: '1 d' } }))
    const added = await planFor(table('value', 'count'), expiring)
    expect(stateOf(added, 'count', 'count')).toMatchObject({ change: 'matched', note: 'time-to-live added' })
    const removed = await planFor(table('value', 'count', VALUE, TTL), count)
    expect(stateOf(removed, 'count', 'count')).toMatchObject({ change: 'matched', note: 'time-to-live taken away' })
    const kept = await planFor(table('value', 'count', VALUE, TTL), expiring)
    expect(stateOf(kept, 'count', 'count')).toMatchObject({ change: 'matched', note: '' })
  })

  test('that are not declared when a function is made are not known: it may ask for them later', async () => {
    const plan = await planFor(table('value', 'sum'), count)
    expect(plan.failure).toBeUndefined()
    expect(stateOf(plan, 'count', 'count').change).toBe('new')
    expect(stateOf(plan, 'count', 'sum')).toMatchObject({
      change: 'notDeclared',
      note: expect.stringContaining('open()'),
    })
  })

  test('of a function whose making throws are not known, and the row has its words', async () => {
    const plan = await planFor(table('value', 'sum'), (ctx) => {
      count(ctx)
      ctx.getState(new ValueStateDescriptor<number>('x')).value()
    })
    expect(plan.failure).toBeUndefined()
    expect(stateOf(plan, 'count', 'sum')).toMatchObject({ change: 'notDeclared', note: expect.stringMatching(/key/) })
  })

  test('that an operator of the house does not ask for are orphaned', async () => {
    const plan = await planOf(
      storedStates({ uid: 'sum', tables: [table('value', '_op_state'), table('list', 'old')] }),
      (env) => {
        env
          .fromData([1])
          .keyBy((value) => value)
          .reduce((a, b) => a + b)
          .uid('sum')
          .sinkTo(new DiscardingSink())
      },
    )
    expect(operatorOf(plan, 'sum').states).toMatchObject([
      { name: '_op_state', change: 'matched' },
      { name: 'old', change: 'orphaned' },
    ])
  })

  const withoutKeyBy = (env: StreamExecutionEnvironment) => {
    env
      .fromData([1])
      .uid('source')
      .map((value) => value)
      .uid('count')
      .sinkTo(new DiscardingSink())
      .uid('sink')
  }

  test('of an operator that has lost its keyBy would be lost: the restore would fail, and says what a start says', async () => {
    const plan = await planOf(storedStates(COUNT), withoutKeyBy)
    expect(stateOf(plan, 'count', 'count').change).toBe('dropped')
    expect(plan.failure).toMatchObject({
      code: 'STATE_NOT_RESTORED',
      message: expect.stringContaining('the keyed state of "count"'),
    })
    expect(operatorOf(plan, 'count').failure?.message).toBe(plan.failure?.message)
    expect(operatorOf(plan, 'sink').failure).toBeUndefined()
    expect(plan.warnings).toEqual([])
  })

  test('of an operator that has lost its keyBy are let go of with -n, and a warning says so', async () => {
    const plan = await planOf(storedStates(COUNT), withoutKeyBy, { allowNonRestoredState: true })
    expect(stateOf(plan, 'count', 'count').change).toBe('dropped')
    expect(plan.failure).toBeUndefined()
    expect(plan.warnings).toContainEqual(expect.stringContaining("State 'count' of"))
  })

  test('in a form into which nobody can look are not known', async () => {
    const stored = storedStates({ ...COUNT, ownForm: 'leveldb' })
    const plan = await planOf(stored, counting(count), { stateBackend: 'leveldb' })
    expect(plan.failure).toBeUndefined()
    expect(stateOf(plan, 'count', 'count')).toMatchObject({
      change: 'notKnown',
      note: expect.stringContaining('leveldb'),
    })
  })

  test('in the own form of the backend of the program are compared, list by list of serializers', async () => {
    const mine = (version: number) => table('value', 'count', { id: 'mine', version })
    const stored = storedStates({
      ...COUNT,
      parallelism: 2,
      ownForm: 'leveldb',
      ownContents: [[mine(1), ...TIMERS], [mine(2)]],
    })
    const fits = await planOf(stored, counting(versioned(2)), { stateBackend: 'leveldb' })
    expect(fits.failure).toBeUndefined()
    expect(stateOf(fits, 'count', 'count')).toMatchObject({ change: 'matched', note: expect.stringContaining('1 → 2') })
    const older = await planOf(stored, counting(versioned(1)), { stateBackend: 'leveldb' })
    expect(older.failure).toMatchObject({ code: 'STATE_INCOMPATIBLE', message: expect.stringContaining('version 2') })
  })

  test('in the form of another backend alone would fail', async () => {
    const plan = await planOf(storedStates({ ...COUNT, ownForm: 'leveldb' }), counting(count))
    expect(plan.failure).toMatchObject({ code: 'STATE_INCOMPATIBLE', message: expect.stringContaining("'leveldb'") })
    expect(operatorOf(plan, 'count').failure?.code).toBe('STATE_INCOMPATIBLE')
  })

  test('of every kind are declared as the program does', async () => {
    const plan = await planOf(
      storedStates({ uid: 'count', tables: [table('list', 'l'), table('map', 'm'), ...TIMERS] }),
      counting((ctx) => {
        ctx.getListState(new ListStateDescriptor<number>('l'))
        ctx.getMapState(new MapStateDescriptor<string, number>('m'))
      }),
    )
    expect(operatorOf(plan, 'count').states.map(({ change }) => change)).toEqual([
      'matched',
      'matched',
      'matched',
      'matched',
    ])
  })
})

describe('Operator states and coordinators of a plan', () => {
  const list = (name: string, mode: 'split' | 'union' | 'broadcast', id = VALUE) => ({
    name,
    mode,
    serializer: id,
    elements: [],
  })

  test('of a source are its splits and its enumerator; its reader is not made', async () => {
    const splits = list('source-splits', 'split')
    const plan = await planOf(
      storedStates({ uid: 'source', lists: [splits], coordinator: framed(serializer('millrace.value', 1), null) }),
      counting(count),
    )
    expect(plan.failure).toBeUndefined()
    expect(operatorOf(plan, 'source').states).toMatchObject([
      { name: 'source-splits', change: 'matched' },
      { name: 'split enumerator', change: 'matched' },
    ])
  })

  test('of a source whose enumerator has another serializer would fail', async () => {
    const plan = await planOf(
      storedStates({ uid: 'source', coordinator: framed(serializer('mine', 1), null) }),
      counting(count),
    )
    expect(plan.failure).toMatchObject({ code: 'STATE_INCOMPATIBLE', message: expect.stringContaining('"mine"') })
  })

  test('of a sink are the states of its writer and its committables; another mode would fail', async () => {
    const plan = await planOf(
      storedStates({ uid: 'sink', lists: [list('sink-committables', 'split'), list('sink-writer', 'union')] }),
      counting(count),
    )
    expect(stateOf(plan, 'sink', 'sink-committables').change).toBe('matched')
    expect(stateOf(plan, 'sink', 'sink-writer')).toMatchObject({ change: 'incompatible', note: 'union → split' })
    expect(plan.failure?.code).toBe('STATE_INCOMPATIBLE')
  })

  test('of a coordinator whose operator is no source any more would be lost: the restore would fail', async () => {
    const plan = await planOf(
      storedStates({ uid: 'sink', coordinator: framed(serializer('mine', 1), null) }),
      counting(count),
    )
    expect(stateOf(plan, 'sink', 'split enumerator').change).toBe('dropped')
    expect(plan.failure).toMatchObject({
      code: 'STATE_NOT_RESTORED',
      message: expect.stringContaining('the split enumerator of "sink"'),
    })
    expect(operatorOf(plan, 'sink').failure?.code).toBe('STATE_NOT_RESTORED')
  })

  test('on which the subtasks disagree would fail', async () => {
    const stored = storedStates({ uid: 'sink', parallelism: 2, lists: [list('sink-writer', 'split')] })
    const sink = [...stored.operators.values()][0]
    const torn = {
      ...stored,
      operators: new Map([
        [
          sink?.metadata.operatorId ?? '',
          { ...sink, operator: [[list('sink-writer', 'split')], [list('sink-writer', 'union')]] },
        ],
      ]),
    }
    const plan = await planOf(torn as typeof stored, counting(count))
    expect(plan.failure?.code).toBe('STATE_INCOMPATIBLE')
    expect(operatorOf(plan, 'sink').failure?.code).toBe('STATE_INCOMPATIBLE')
  })
})
