/** Savepoints that leave a job running: what they hold, what they leave alone, and what may go wrong with one. */
import { expect, it } from 'vitest'
import { RestartStrategies } from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger } from './parts.ts'
import { sums, sumsOf } from './savepoint-parts.ts'

const onDisk = (world: World, intervalMs = 100) => {
  const env = world.env()
  env.enableCheckpointing(intervalMs).getCheckpointConfig().setCheckpointStorage('/checkpoints')
  return env
}

const completed = (world: World, kind: string) =>
  world.ofType('checkpoint.completed').filter((event) => event.kind === kind)

describeJobs('A savepoint', (newWorld) => {
  it('holds everything while checkpoints go on: a job that starts from it goes on exactly', async () => {
    const world = newWorld()
    const sink = new Ledger<string>()
    const env = onDisk(world)
    sums(env, world, sink)
    const client = await world.until(env.executeAsync('first'))
    await world.advance(255)
    const path = await world.until(client.triggerSavepoint('file:///savepoints'))
    expect(path).toMatch(new RegExp(`^/savepoints/savepoint-${client.jobId.slice(0, 6)}-`))
    expect(completed(world, 'savepoint')).toMatchObject([{ path }])
    await world.until(client.getJobExecutionResult())
    expect(completed(world, 'checkpoint').length).toBeGreaterThan(5)
    expect(sink.committed.toSorted()).toEqual(sumsOf(60))

    for (const parallelism of [1, 2, 3]) {
      const before = sink.committed.length
      const second = onDisk(world)
      sums(second, world, sink, { parallelism })
      await world.until(second.execute('second', { fromSavepoint: path }))
      // Windows that were open go on where they were; what had come out before does not come again.
      expect(sink.committed.slice(before).toSorted()).toEqual(sumsOf(60).filter((sum) => /@[2345]0/.test(sum)))
    }
  })

  it('is no checkpoint: nobody is notified, nothing committed and nothing subsumed', async () => {
    const world = newWorld()
    const sink = new Ledger<string>()
    const env = onDisk(world, 10_000)
    env.getCheckpointConfig().setExternalizedCheckpointRetention('RETAIN_ON_CANCELLATION')
    sums(env, world, sink)
    const client = await world.until(env.executeAsync('x'))
    await world.advance(200)
    const checkpoint = await world.until(client.triggerCheckpoint())
    await world.advance(50)
    const committed = [...sink.committed]
    await world.advance(100)
    await world.until(client.triggerSavepoint('/savepoints'))
    await world.advance(10)
    expect(sink.written.length).toBeGreaterThan(committed.length)
    expect(sink.committed).toEqual(committed)
    const chk = `/checkpoints/${client.jobId}/chk-${checkpoint}`
    expect(await world.until(world.ports.files.list(chk))).not.toEqual([])
    expect(completed(world, 'savepoint')).toHaveLength(1)
    await world.until(client.getJobExecutionResult())
    expect(sink.committed.toSorted()).toEqual(sumsOf(60))
  })

  it('may be asked for twice at once, and while the barriers of a checkpoint wait for each other', async () => {
    const world = newWorld()
    // Slow writers: barriers of two senders stand behind records, each for its own time.
    const sink = new Ledger<string>({ write: () => world.sleep(7) })
    const env = onDisk(world)
    sums(env, world, sink)
    const client = await world.until(env.executeAsync('x'))
    await world.when(() => world.ofType('checkpoint.triggered').length === 2)
    const paths = await world.until(
      Promise.all([client.triggerSavepoint('/savepoints'), client.triggerSavepoint('/savepoints')]),
    )
    expect(new Set(paths).size).toBe(2)
    await world.until(client.getJobExecutionResult())
    expect(sink.committed.toSorted()).toEqual(sumsOf(60))
    for (const path of paths) {
      const second = onDisk(world)
      sums(second, world, sink)
      await world.until(second.execute('second', { fromSavepoint: path }))
      expect(new Set(sink.committed)).toEqual(new Set(sumsOf(60)))
    }
  })

  it('between checkpoints is passed over by a recovery', async () => {
    const world = newWorld()
    const sink = new Ledger<string>()
    const env = onDisk(world, 10_000)
    env.setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 10))
    sums(env, world, sink, {
      at: (value, attempt) => {
        if (value === 40 && attempt === 0) throw new Error('down')
      },
    })
    const client = await world.until(env.executeAsync('x'))
    await world.advance(150)
    const checkpoint = await world.until(client.triggerCheckpoint())
    await world.advance(100)
    await world.until(client.triggerSavepoint('/savepoints'))
    await world.until(client.getJobExecutionResult())
    const restored = world.steps.filter(({ machine, fact }) => machine === 'job' && fact.type === 'state.restored')
    expect(restored.at(-1)?.fact).toMatchObject({ attempt: 2, checkpointId: checkpoint })
    expect(sink.committed.toSorted()).toEqual(sumsOf(60))
  })

  it('that the disk refuses fails alone: the job runs on, and its checkpoints with it', async () => {
    const world = newWorld()
    const sink = new Ledger<string>()
    const env = onDisk(world)
    sums(env, world, sink)
    const client = await world.until(env.executeAsync('x'))
    await world.advance(150)
    world.files.interfere = ({ to }) => (to?.startsWith('/full/') ? { type: 'fail', code: 'ENOSPC' } : undefined)
    const failure = await world.failure(client.triggerSavepoint('/full'))
    expect(failure).toMatchObject({
      code: 'CHECKPOINT_FAILED',
      message: expect.stringContaining('ENOSPC'),
      details: { kind: 'savepoint' },
    })
    expect(world.statuses().at(-1)).toBe('RUNNING')
    const before = completed(world, 'checkpoint').length
    await world.until(client.getJobExecutionResult())
    expect(completed(world, 'checkpoint').length).toBeGreaterThan(before + 2)
    expect(world.ofType('restart.scheduled')).toEqual([])
    expect(sink.committed.toSorted()).toEqual(sumsOf(60))
  })

  it('of which it is unknown whether it is durable fails alone as well: no recovery looks for it', async () => {
    const world = newWorld()
    const sink = new Ledger<string>()
    const env = onDisk(world)
    sums(env, world, sink)
    const client = await world.until(env.executeAsync('x'))
    await world.advance(150)
    let renamed = false
    world.files.interfere = ({ path, to, type }) => {
      if (type === 'rename' && to?.startsWith('/savepoints/')) renamed = true
      return renamed && type === 'syncFolder' && path === '/savepoints' ? { type: 'fail', code: 'EIO' } : undefined
    }
    expect(await world.failure(client.triggerSavepoint('/savepoints'))).toMatchObject({
      code: 'CHECKPOINT_FAILED',
      message: expect.stringContaining('EIO'),
    })
    world.files.interfere = undefined
    await world.until(client.getJobExecutionResult())
    expect(renamed).toBe(true)
    expect(world.ofType('restart.scheduled')).toEqual([])
    expect(sink.committed.toSorted()).toEqual(sumsOf(60))
  })

  it('that is pending when a task fails is given up with the attempt', async () => {
    const world = newWorld()
    let slow = true
    const sink = new Ledger<string>({ makeDurable: () => (slow ? world.sleep(300) : undefined) })
    const env = onDisk(world, 10_000)
    env.setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 10))
    sums(env, world, sink, {
      at: (value, attempt) => {
        if (value === 30 && attempt === 0) throw new Error('down')
      },
    })
    const client = await world.until(env.executeAsync('x'))
    await world.advance(200)
    expect(await world.failure(client.triggerSavepoint('/savepoints'))).toMatchObject({ code: 'CHECKPOINT_FAILED' })
    slow = false
    await world.until(client.getJobExecutionResult())
    expect(world.ofType('restart.scheduled')).toHaveLength(1)
    expect(sink.committed.toSorted()).toEqual(sumsOf(60))
  })

  it('needs no periodic checkpoints and no checkpoint directory: a job in memory writes it into a folder', async () => {
    const world = newWorld()
    const sink = new Ledger<string>()
    const env = world.env()
    sums(env, world, sink)
    const client = await world.until(env.executeAsync('first'))
    await world.advance(255)
    const path = await world.until(client.triggerSavepoint('/savepoints'))
    await world.until(client.cancel())
    expect(sink.committed).toEqual([])
    const second = world.env()
    sums(second, world, sink)
    await world.until(second.execute('second', { fromSavepoint: path }))
    // Nothing was ever committed in the first: all of it stood in the savepoint.
    expect(sink.committed.toSorted()).toEqual(sumsOf(60))
  })

  it('lies where the call says, else where the configuration says, and is refused where neither does', async () => {
    const world = newWorld({ layers: [] })
    const env = onDisk(world)
    sums(env, world, new Ledger<string>())
    const client = await world.until(env.executeAsync('x'))
    await world.advance(50)
    expect(await world.failure(client.triggerSavepoint())).toMatchObject({
      code: 'STORAGE_LOCATION',
      message: expect.stringContaining('execution.checkpointing.savepoint-dir'),
    })
    expect(await world.failure(client.triggerSavepoint('hdfs://there'))).toMatchObject({ code: 'STORAGE_LOCATION' })
    expect(await world.failure(client.stopWithSavepoint({ drain: false }))).toMatchObject({ code: 'STORAGE_LOCATION' })
    await world.until(client.cancel())
    expect(await world.failure(client.triggerSavepoint('/savepoints'))).toMatchObject({ code: 'CHECKPOINT_FAILED' })

    const configured = onDisk(world)
    configured.configure({ 'execution.checkpointing.savepoint-dir': 'file:///configured' })
    sums(configured, world, new Ledger<string>())
    const second = await world.until(configured.executeAsync('y'))
    await world.advance(50)
    expect(await world.until(second.triggerSavepoint())).toMatch(/^\/configured\/savepoint-/)
    expect(await world.until(second.triggerSavepoint('/named', { formatType: 'NATIVE' }))).toMatch(
      /^\/named\/savepoint-/,
    )
    await world.until(second.cancel())
  })

  it('of a job without checkpoints, a part of which has finished, is refused: what that part had is in no state', async () => {
    const world = newWorld()
    const env = world.env()
    env.fromData([1]).uid('short').sinkTo(new Ledger()).uid('end')
    sums(env, world, new Ledger())
    const job = await world.until(env.executeAsync('x'))
    await world.advance(100)
    expect(await world.failure(job.triggerSavepoint('/savepoints'))).toMatchObject({
      code: 'CHECKPOINT_FAILED',
      message: expect.stringContaining('Not RUNNING: Source: Collection Source'),
      hint: expect.stringContaining('with periodic checkpoints (enableCheckpointing) it need not'),
    })
    await world.until(job.getJobExecutionResult())
  })
})
