/** What a savepoint is refused with that does not fit the program, before its first record; and what is taken all the same. */
import { describe, expect, it } from 'vitest'
import { simulatedStores } from '../../src/base/simulated-ordered-stores.ts'
import {
  ListStateDescriptor,
  type Serializer,
  type StreamExecutionEnvironment,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../src/index.ts'
// Loaded by the job when it needs them; that must not take time of a clock that stands still.
import '../../src/state/level/level-state-backend.ts'
import '../../src/state/level/scratch-folders.ts'
import '../../src/state/level/table-self-check.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger, ticks } from './parts.ts'

const COUNT = 40
const KEYS = 5
const BACKENDS = ['hashmap', 'leveldb'] as const
type Backend = (typeof BACKENDS)[number]

interface Program {
  readonly backend?: Backend
  readonly uid?: string
  readonly state?: string
  readonly kind?: 'value' | 'list'
  readonly serializer?: Serializer<string>
  readonly parallelism?: number
  readonly maxParallelism?: number
}

/** Keeps the numbers of each key as a text, and gives that out. `processed` counts what reaches the function. */
function declare(env: StreamExecutionEnvironment, world: World, sink: Ledger<string>, program: Program): () => number {
  const { uid = 'texts', state = 'text', kind = 'value', serializer, parallelism = 2, maxParallelism = 8 } = program
  let processed = 0
  env
    .fromSource(ticks(world, COUNT, 5), WatermarkStrategy.noWatermarks(), 'ticks')
    .uid('ticks')
    .keyBy((n) => n % KEYS)
    .process<string>((context) => {
      const one =
        kind === 'value' ? context.getState(new ValueStateDescriptor<string>(state, { serializer })) : undefined
      const list = kind === 'list' ? context.getListState(new ListStateDescriptor<string>(state)) : undefined
      return {
        processElement(n, _, out) {
          processed++
          list?.add(`${n}`)
          one?.update(`${one.value() ?? ''} ${n}`)
          out.collect(`${one?.value()}`)
        },
      }
    })
    .uid(uid)
    .name('texts')
    .setParallelism(parallelism)
    .setMaxParallelism(maxParallelism)
    .sinkTo(sink)
    .uid('sink')
  return () => processed
}

/** Writes texts as they are; of version 2 in reverse, and tells what it was asked to read. */
function text(
  version: number,
  { reads = [1, version], id = 'text' } = {},
): Serializer<string> & { asked: Set<number> } {
  const turned = (given: string, by: number) => (by === 2 ? [...given].reverse().join('') : given)
  const asked = new Set<number>()
  return {
    id,
    version,
    asked,
    serialize: (given) => new TextEncoder().encode(turned(given, version)),
    deserialize(bytes, stored) {
      asked.add(stored)
      if (!reads.includes(stored)) throw new Error(`version ${stored} is too old`)
      return turned(new TextDecoder().decode(bytes), stored)
    },
  }
}

type TestWorld = World & { readonly sink: Ledger<string> }

/** What a key holds at the end, however often its job was interrupted. */
const wholeTexts = Array.from({ length: KEYS }, (_, key) =>
  Array.from({ length: COUNT / KEYS }, (_, round) => ` ${key + round * KEYS}`).join(''),
)

describeJobs('A savepoint', (newWorld) => {
  const worldOf = () => {
    const world = newWorld()
    Object.assign(world.ports, { stores: simulatedStores({ files: world.files, turns: world }) })
    return Object.assign(world, { sink: new Ledger<string>() })
  }
  const envOf = (world: World, backend: Backend) => {
    const env = world.env()
    env.configure({
      'state.backend.type': backend,
      'state.backend.leveldb.cache-size': '1 kb',
      'state.backend.leveldb.localdir': '/scratch',
      'execution.checkpointing.data-inline-threshold': 0,
    })
    return env
  }
  /** In the middle of a job. */
  const taken = async (world: TestWorld, program: Program, formatType: 'CANONICAL' | 'NATIVE' = 'CANONICAL') => {
    const env = envOf(world, program.backend ?? 'hashmap')
    declare(env, world, world.sink, program)
    const job = await world.until(env.executeAsync('x'))
    await world.advance((COUNT / 2) * 5)
    return world.until(job.stopWithSavepoint({ drain: false, targetDirectory: '/savepoints', formatType }))
  }
  const refusal = async (world: TestWorld, path: string, program: Program) => {
    const env = envOf(world, program.backend ?? 'hashmap')
    const processed = declare(env, world, world.sink, program)
    const failure = await world.failure(env.execute('x', { fromSavepoint: path }))
    expect(processed()).toBe(0)
    return failure.code === 'JOB_FAILED' ? (failure.cause as typeof failure) : failure
  }
  const goesOn = async (world: TestWorld, path: string, program: Program, allowNonRestoredState = false) => {
    const env = envOf(world, program.backend ?? 'hashmap')
    const before = world.sink.committed.length
    declare(env, world, world.sink, program)
    await world.until(env.execute('x', { fromSavepoint: path, allowNonRestoredState }))
    return world.sink.committed.slice(before)
  }

  it('of which a state has no operator is refused, by uid, or its state dropped on purpose', async () => {
    const world = worldOf()
    const path = await taken(world, {})
    expect(await refusal(world, path, { uid: 'renamed' })).toMatchObject({
      code: 'STATE_NOT_RESTORED',
      message: expect.stringContaining('"texts"'),
      hint: expect.stringMatching(/old uid again.*--allowNonRestoredState/),
    })
    const lines = await goesOn(world, path, { uid: 'renamed' }, true)
    expect(lines.every((line) => !wholeTexts.includes(line))).toBe(true)
    expect(lines).toHaveLength(COUNT / 2)
  })

  describe.each(BACKENDS)('on %s', (backend) => {
    it('goes on with what it holds, and a state that it does not hold begins empty', async () => {
      const world = worldOf()
      const path = await taken(world, { backend })
      expect(await goesOn(world, path, { backend })).toEqual(expect.arrayContaining(wholeTexts))
      expect(await goesOn(world, path, { backend, state: 'another' })).toHaveLength(COUNT / 2)
    })

    it('is refused where a state has another kind, another serializer, or was written by a newer version of it', async () => {
      const world = worldOf()
      const path = await taken(world, { backend, serializer: text(2) })
      for (const [program, said] of [
        [{ kind: 'list' }, 'it is a value state there and a list state in the program'],
        [{}, "it was written by serializer 'text', the program has 'millrace.value'"],
        [{ serializer: text(2, { id: 'other' }) }, "it was written by serializer 'text', the program has 'other'"],
        [{ serializer: text(1) }, "it was written by version 2 of serializer 'text', the program has version 1"],
      ] as const)
        expect(await refusal(world, path, { backend, ...program })).toMatchObject({
          code: 'STATE_INCOMPATIBLE',
          message: expect.stringContaining(said),
          hint: 'Restore with the program that wrote it, or give the changed state another name.',
          details: { state: 'text' },
        })
    })

    it('gives a newer serializer the version that wrote, and is written in the new one from then on', async () => {
      const world = worldOf()
      const path = await taken(world, { backend, serializer: text(1) })
      const newer = text(2)
      expect(await goesOn(world, path, { backend, serializer: newer })).toEqual(expect.arrayContaining(wholeTexts))
      expect(newer.asked).toContain(1)
    })

    it('of a version that a serializer will not read fails the job with its words, when the first value is read', async () => {
      const world = worldOf()
      const path = await taken(world, { backend, serializer: text(1) })
      const env = envOf(world, backend)
      const before = world.sink.committed.length
      const processed = declare(env, world, world.sink, { serializer: text(3, { reads: [3] }) })
      const failure = await world.failure(env.execute('x', { fromSavepoint: path }))
      expect(failure).toMatchObject({
        code: 'JOB_FAILED',
        message: expect.stringContaining('failed in operator "texts": version 1 is too old'),
        cause: { message: 'version 1 is too old' },
      })
      // The heap reads all values when the state is declared, the disk each when it is asked for.
      expect(processed()).toBe(backend === 'hashmap' ? 0 : 1)
      expect(world.sink.committed.slice(before)).toEqual([])
    })

    it('is refused where parallelism is above the max parallelism of its state, or that is another', async () => {
      const world = worldOf()
      const path = await taken(world, { backend })
      expect(await refusal(world, path, { backend, parallelism: 9, maxParallelism: 16 })).toMatchObject({
        code: 'PARALLELISM_ABOVE_MAXIMUM',
        hint: expect.stringContaining('Lower the parallelism to 8 or less'),
      })
      expect(await refusal(world, path, { backend, maxParallelism: 16 })).toMatchObject({
        code: 'MAX_PARALLELISM_CHANGED',
        hint: expect.stringContaining('Set the max parallelism to 8'),
      })
    })

    it('that is damaged, incomplete or not there is refused with the name of the file', async () => {
      const world = worldOf()
      const path = await taken(world, { backend })
      const names = (await world.until(world.files.list(path))).map(({ name }) => name)
      expect(names.length).toBeGreaterThan(2)
      for (const name of names) {
        const file = `${path}/${name}`
        const good = await world.until(world.files.read(file))
        const bad = Uint8Array.from(good)
        bad[bad.length - 10] = (bad[bad.length - 10] as number) ^ 4
        const put = (bytes: Uint8Array) =>
          world.until(
            world.files.execute([
              { type: 'remove', path: file },
              { type: 'writeNew', path: file, bytes },
            ]),
          )
        await put(bad)
        expect(await refusal(world, path, { backend })).toMatchObject({
          code: 'CHECKPOINT_DAMAGED',
          message: expect.stringContaining(file),
          hint: expect.stringContaining('Restore it from a copy'),
        })
        await world.until(world.files.execute([{ type: 'remove', path: file }]))
        expect(await refusal(world, path, { backend })).toMatchObject({
          code: 'CHECKPOINT_MISSING',
          message: expect.stringContaining(file),
        })
        await put(good)
      }
      expect(await goesOn(world, path, { backend })).toEqual(expect.arrayContaining(wholeTexts))
    })
  })

  it('in the own form of the leveldb backend is refused by the other one, as are its checkpoints', async () => {
    const world = worldOf()
    const native = await taken(world, { backend: 'leveldb' }, 'NATIVE')
    const env = envOf(world, 'leveldb')
    env.enableCheckpointing(20).getCheckpointConfig().setCheckpointStorage('/checkpoints')
    declare(env, world, world.sink, {})
    const job = await world.until(env.executeAsync('x'))
    await world.advance((COUNT / 2) * 5)
    await world.until(job.suspend())
    const incremental = world.ofType('checkpoint.completed').at(-1)?.path as string
    for (const path of [native, incremental]) {
      expect(await refusal(world, path, { backend: 'hashmap' })).toMatchObject({
        code: 'STATE_INCOMPATIBLE',
        message: expect.stringContaining('leveldb'),
        hint: expect.stringContaining('canonical'),
      })
      expect(await goesOn(world, path, { backend: 'leveldb' })).toEqual(expect.arrayContaining(wholeTexts))
    }
  })
})
