/** Whose the files are that a job started from: with NO_CLAIM the user's, with CLAIM the job's; and disposal by the user. */
import { describe, expect, it } from 'vitest'
import { disposeSavepointOn } from '../../src/api/dispose-savepoint.ts'
import { simulatedStores } from '../../src/base/simulated-ordered-stores.ts'
import { RestartStrategies } from '../../src/index.ts'
// Loaded by the job when it needs them; that must not take time of a clock that stands still.
import '../../src/state/level/level-state-backend.ts'
import '../../src/state/level/scratch-folders.ts'
import '../../src/state/level/table-self-check.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger } from './parts.ts'
import { type SumsOptions, sums, sumsOf } from './savepoint-parts.ts'

const BACKENDS = ['hashmap', 'leveldb'] as const

interface Run extends SumsOptions {
  readonly backend: (typeof BACKENDS)[number]
  readonly intervalMs?: number
}

describeJobs('A job', (newWorld) => {
  const worldOf = () => {
    const world = newWorld()
    Object.assign(world.ports, { stores: simulatedStores({ files: world.files, turns: world }) })
    return Object.assign(world, { sink: new Ledger<string>() })
  }
  type TestWorld = ReturnType<typeof worldOf>

  const envOf = (world: TestWorld, { backend, intervalMs = 50, ...options }: Run) => {
    const env = world.env()
    env.configure({
      'state.backend.type': backend,
      'state.backend.leveldb.cache-size': '1 kb',
      'state.backend.leveldb.localdir': '/scratch',
      'execution.checkpointing.data-inline-threshold': 0,
    })
    env.enableCheckpointing(intervalMs).getCheckpointConfig().setCheckpointStorage('/checkpoints')
    env.setRestartStrategy(RestartStrategies.fixedDelayRestart(3, 1))
    sums(env, world, world.sink, options)
    return env
  }
  const savepoint = async (world: TestWorld, run: Run) => {
    const job = await world.until(envOf(world, run).executeAsync('first'))
    await world.advance(255)
    return world.until(job.stopWithSavepoint({ drain: false, targetDirectory: '/savepoints' }))
  }
  const exists = async (world: World, path: string) => (await world.until(world.files.stat(path))) !== undefined
  const completed = (world: World, from: number) =>
    world
      .ofType('checkpoint.completed')
      .slice(from)
      .filter(({ kind }) => kind === 'checkpoint')

  describe.each(BACKENDS)('on %s', (backend) => {
    it('that claims nothing needs its savepoint until its first checkpoint, and never deletes it', async () => {
      const world = worldOf()
      const path = await savepoint(world, { backend })
      const from = world.ofType('checkpoint.completed').length
      let failing = false
      const env = envOf(world, {
        backend,
        at: () => {
          if (!failing) return
          failing = false
          throw new Error('down')
        },
      })
      const job = await world.until(env.executeAsync('second', { fromSavepoint: path }))
      await world.when(() => completed(world, from).length === 1)
      expect(await exists(world, path)).toBe(true)
      await world.until(disposeSavepointOn(world.files, path))
      expect(await exists(world, path)).toBe(false)
      failing = true
      await world.until(job.getJobExecutionResult())
      expect(world.ofType('restart.scheduled')).toHaveLength(1)
      expect(world.sink.committed.toSorted()).toEqual(sumsOf(60))
    })

    it('that claims its savepoint deletes it with its first checkpoint, and not before', async () => {
      const world = worldOf()
      const path = await savepoint(world, { backend })
      const from = world.ofType('checkpoint.completed').length
      let failures = 1
      const env = envOf(world, {
        backend,
        intervalMs: 60,
        at: () => {
          if (failures-- > 0) throw new Error('down, before any checkpoint')
        },
      })
      const job = await world.until(env.executeAsync('second', { fromSavepoint: path, claimMode: 'CLAIM' }))
      await world.when(() => world.ofType('restart.scheduled').length === 1)
      expect([completed(world, from).length, await exists(world, path)]).toEqual([0, true])
      await world.when(() => completed(world, from).length === 1)
      await world.advance(20)
      expect(await exists(world, path)).toBe(false)
      await world.until(job.getJobExecutionResult())
      expect(world.sink.committed.toSorted()).toEqual(sumsOf(60))
    })
  })

  it('keeps what a user would dispose of meanwhile, and what another job would claim', async () => {
    const world = worldOf()
    const path = await savepoint(world, { backend: 'hashmap' })
    const env = envOf(world, { backend: 'hashmap', intervalMs: 100_000 })
    const job = await world.until(env.executeAsync('second', { fromSavepoint: path, claimMode: 'CLAIM' }))
    expect(await world.failure(disposeSavepointOn(world.files, path))).toMatchObject({
      code: 'CHECKPOINT_CLAIMED',
      message: expect.stringContaining(job.jobId),
    })
    const third = envOf(world, { backend: 'hashmap' }).execute('third', { fromSavepoint: path, claimMode: 'CLAIM' })
    expect(await world.failure(third)).toMatchObject({
      code: 'CHECKPOINT_CLAIMED',
      hint: expect.stringContaining('NO_CLAIM'),
    })
    await world.until(job.getJobExecutionResult())
    expect(world.sink.committed.toSorted()).toEqual(sumsOf(60))
  })

  it('has its savepoint disposed of by its user: what is listed goes, what is foreign stays and is named', async () => {
    const world = worldOf()
    const path = await savepoint(world, { backend: 'leveldb' })
    const write = (to: string) =>
      world.until(world.files.execute([{ type: 'writeNew', path: to, bytes: new TextEncoder().encode('mine') }]))
    await write(`${path}/notes.txt`)
    expect(await world.until(disposeSavepointOn(world.files, path))).toEqual({ path, left: ['notes.txt'] })
    expect((await world.until(world.files.list(path))).map(({ name }) => name)).toEqual(['notes.txt'])
    // No savepoint any more: a folder of somebody.
    expect(await world.failure(disposeSavepointOn(world.files, path))).toMatchObject({ code: 'CHECKPOINT_MISSING' })
    expect(await exists(world, `${path}/notes.txt`)).toBe(true)
    const env = envOf(world, { backend: 'leveldb' })
    const job = await world.until(env.executeAsync('other'))
    await world.advance(120)
    const checkpoint = world.ofType('checkpoint.completed').at(-1)?.path as string
    expect(await world.failure(disposeSavepointOn(world.files, checkpoint))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('is no savepoint'),
    })
    expect(await exists(world, checkpoint)).toBe(true)
    await world.until(job.cancel())
  })
})
