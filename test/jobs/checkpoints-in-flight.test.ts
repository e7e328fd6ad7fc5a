/** Several checkpoints at once, on a slow store: their order, what becomes of the older ones, and who hears of it when. */
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { type Counts, counts, countsOf, gate, strays } from './checkpoint-parts.ts'
import { World } from './harness.ts'
import { byNumber, range } from './parts.ts'

const COUNT = 28
const MOST = 3

// Unaligned barriers allow only one at a time.
const MODE = 'aligned'

const idsOf = (events: readonly { readonly checkpointId?: number | undefined }[]) =>
  events.map(({ checkpointId }) => checkpointId ?? 0)

/** Before the input is at its end: then checkpoints come that no interval asks for, and the last ones end with the job. */
const whileRead = ({ atMs }: { readonly atMs: number }) => atMs < 1_000_000 + 10 * COUNT

/** Without requests that never became a checkpoint. */
const abortedIds = (world: World) =>
  idsOf(world.ofType('checkpoint.aborted').filter(({ checkpointId }) => checkpointId !== undefined))

/** How many were pending at a time. */
function mostPending(world: World): number {
  const pending = new Set<number | undefined>()
  let most = 0
  for (const event of world.events) {
    if (event.type === 'checkpoint.triggered') pending.add(event.checkpointId)
    if (event.type === 'checkpoint.completed' || event.type === 'checkpoint.aborted') pending.delete(event.checkpointId)
    most = Math.max(most, pending.size)
  }
  return most
}

/** Each ends once, they complete in order, and no function hears of an abort behind the completion of a later one. */
function expectOrder(world: World, { log }: Counts): void {
  const [triggered, completed] = [
    idsOf(world.ofType('checkpoint.triggered')),
    idsOf(world.ofType('checkpoint.completed')),
  ]
  expect(triggered).toEqual(range(1, triggered.length))
  expect([...completed, ...abortedIds(world)].toSorted(byNumber)).toEqual(triggered)
  expect(completed).toEqual(completed.toSorted(byNumber))
  let newest = 0
  for (const [what, id] of log.map((line) => line.split(' '))) {
    if (what === 'complete') newest = Number(id)
    else expect(Number(id), `${what} ${id} behind complete ${newest}`).toBeGreaterThan(newest)
  }
}

describe('Checkpoints in flight', () => {
  // Messages take longest over this link.
  const newWorld = () => new World({ link: 'cloned' })

  it('of a slow store are made durable one after the other, in order, and no more than allowed at once', async () => {
    const world = newWorld()
    const env = world.env()
    const job = counts(env, world, { mode: MODE, count: COUNT, intervalMs: 20 })
    env.getCheckpointConfig().setMaxConcurrentCheckpoints(MOST)
    const publishing: string[] = []
    world.files.interfere = ({ type, path, to }) => {
      if (type === 'create' && path.endsWith('/_metadata')) publishing.push(`begin ${/chk-(\d+)/.exec(path)?.[1]}`)
      if (type !== 'rename' || !/\/chk-\d+$/.test(to ?? '')) return undefined
      publishing.push(`end ${/chk-(\d+)$/.exec(to ?? '')?.[1]}`)
      return { type: 'delay', delayMs: 50 }
    }
    await world.until(env.execute('x'))
    expect(mostPending(world)).toBe(MOST)
    const completed = idsOf(world.ofType('checkpoint.completed'))
    expect(completed.length).toBeGreaterThan(5)
    expect(publishing).toEqual(completed.flatMap((id) => [`begin ${id}`, `end ${id}`]))
    expectOrder(world, job)
    expect(world.ofType('checkpoint.aborted').filter(whileRead)).toEqual([])
    expect(job.far.committed.toSorted()).toEqual(countsOf(COUNT))
    expect(strays(world)).toEqual([])
  })

  it('are subsumed by a later one, at once and before that is told; what they acknowledge late is thrown away', async () => {
    const world = newWorld()
    const env = world.env()
    const hung = gate()
    const job = counts(env, world, {
      mode: MODE,
      count: COUNT,
      intervalMs: 20,
      at: (door, checkpointId) => (door === 'makeDurable' && checkpointId === 2 ? hung.opened : undefined),
    })
    env.getCheckpointConfig().setMaxConcurrentCheckpoints(MOST)
    const client = await world.until(env.executeAsync('x'))
    await world.when(() => world.ofType('checkpoint.completed').length === 2)
    const [subsumed] = world.ofType('checkpoint.aborted')
    expect(subsumed).toMatchObject({ checkpointId: 2, reason: 'CHECKPOINT_SUBSUMED', atMs: world.clock.now() })
    await world.settle()
    expect(job.log.slice(2)).toEqual(['snapshot 2', 'snapshot 3', 'aborted 2', 'complete 3'])
    hung.open()
    await world.settle()
    expect(strays(world)).toEqual([])
    await world.until(client.getJobExecutionResult())
    expectOrder(world, job)
    expect(job.near.committed.toSorted()).toEqual(countsOf(COUNT))
  })

  it('do not subsume a savepoint, which may run beside as many as are allowed', async () => {
    const world = newWorld()
    const env = world.env()
    const hung = gate()
    const job = counts(env, world, {
      mode: MODE,
      count: COUNT,
      at: (door, checkpointId) => (door === 'makeDurable' && checkpointId === 3 ? hung.opened : undefined),
    })
    env.getCheckpointConfig().setMaxConcurrentCheckpoints(2)
    const client = await world.until(env.executeAsync('x'))
    await world.when(() => world.ofType('checkpoint.completed').length === 2)
    const savepoint = client.triggerSavepoint('/savepoints')
    await world.when(() => world.ofType('checkpoint.completed').length === 4)
    expect(idsOf(world.ofType('checkpoint.completed'))).toEqual([1, 2, 4, 5])
    expect(abortedIds(world)).toEqual([])
    hung.open()
    expect(await world.until(savepoint)).toMatch(/^\/savepoints\/savepoint-/)
    expect(idsOf(world.ofType('checkpoint.completed'))).toContain(3)
    expect(job.log).not.toContain('complete 3')
    await world.until(client.getJobExecutionResult())
    expect(job.far.committed.toSorted()).toEqual(countsOf(COUNT))
    expect(strays(world)).toEqual([])
  })

  it('leave the pause behind the end of whichever ended last', async () => {
    const world = newWorld()
    const env = world.env()
    const job = counts(env, world, {
      mode: MODE,
      count: COUNT,
      intervalMs: 25,
      at: (door, checkpointId) => (door === 'makeDurable' ? world.sleep(20 + 30 * (checkpointId % 3)) : undefined),
    })
    const config = env.getCheckpointConfig().setMaxConcurrentCheckpoints(MOST)
    config.setMinPauseBetweenCheckpoints(15)
    await world.until(env.execute('x'))
    const ends = world.ofType('checkpoint.completed')
    for (const { checkpointId, atMs } of world.ofType('checkpoint.triggered').filter(whileRead)) {
      const sinceEnds = ends.map((end) => atMs - end.atMs).filter((ms) => ms >= 0)
      expect(Math.min(...sinceEnds, 15), `checkpoint ${checkpointId}`).toBe(15)
    }
    expect(mostPending(world)).toBeGreaterThan(1)
    expectOrder(world, job)
  })

  it.each([1, 2])('keep their order whatever each of them takes, and some of them fail (seed %i)', async (seed) => {
    const world = newWorld()
    const env = world.env()
    const random = seededRandom(seed)
    const job = counts(env, world, {
      mode: MODE,
      count: COUNT,
      intervalMs: 20,
      at: (door) => {
        if (door === 'snapshotState' && random.next() < 0.15) throw new Error('not this one')
        return door === 'makeDurable' ? world.sleep(Math.floor(random.next() * 130)) : undefined
      },
    })
    const config = env.getCheckpointConfig().setMaxConcurrentCheckpoints(MOST).setCheckpointTimeout(100)
    config.setFailTasksOnCheckpointingErrors(false)
    world.files.interfere = ({ path }) =>
      path.endsWith('/_metadata') ? { type: 'delay', delayMs: Math.floor(random.next() * 12) } : undefined
    await world.until(env.execute('x'))
    expect(new Set(world.ofType('checkpoint.aborted').map(({ reason }) => reason)).size).toBeGreaterThan(1)
    expectOrder(world, job)
    expect(job.near.committed.toSorted()).toEqual(countsOf(COUNT))
    expect(job.far.committed.toSorted()).toEqual(countsOf(COUNT))
    await world.advance(150)
    expect(strays(world)).toEqual([])
    expect(world.timersLeft()).toBe(0)
  })
})
