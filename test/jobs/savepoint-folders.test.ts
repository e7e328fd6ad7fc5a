/** A folder that no savepoint can be written to is refused before the trigger leaves: the job runs on as if nobody had asked. */
import { expect, it } from 'vitest'
import type { Interference, SimulatedOperation } from '../../src/base/simulated-file-system.ts'
import type { JobClient } from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger } from './parts.ts'
import { sums, sumsOf } from './savepoint-parts.ts'

const ASKS: Readonly<Record<string, (client: JobClient, targetDirectory: string) => Promise<string>>> = {
  stop: (client, targetDirectory) => client.stopWithSavepoint({ drain: false, targetDirectory }),
  drain: (client, targetDirectory) => client.stopWithSavepoint({ drain: true, targetDirectory }),
  cancel: (client, targetDirectory) => client.cancelWithSavepoint(targetDirectory),
  savepoint: (client, targetDirectory) => client.triggerSavepoint(targetDirectory),
}

interface Obstacle {
  readonly folder: string
  readonly systemCode: string
  readonly says: RegExp
  readonly interfere?: (operation: SimulatedOperation) => Interference | undefined
}

const failing =
  (type: SimulatedOperation['type'], code: string) =>
  (operation: SimulatedOperation): Interference | undefined =>
    operation.type === type && operation.path.startsWith('/savepoints') ? { type: 'fail', code } : undefined

const OBSTACLES: Readonly<Record<string, Obstacle>> = {
  'a file in its place': { folder: '/file', systemCode: 'EEXIST', says: /move it away/ },
  'a file above it': { folder: '/file/below', systemCode: 'ENOTDIR', says: /move it away/ },
  'no right to make it': {
    folder: '/savepoints/new',
    systemCode: 'EACCES',
    says: /the right to read and write/,
    interfere: failing('makeFolder', 'EACCES'),
  },
  'read-only': {
    folder: '/savepoints',
    systemCode: 'EROFS',
    says: /mounted read-only/,
    interfere: failing('create', 'EROFS'),
  },
  'no room': { folder: '/savepoints', systemCode: 'ENOSPC', says: /make room/, interfere: failing('write', 'ENOSPC') },
}

async function running(world: World, checkpoints: boolean) {
  const sink = new Ledger<string>()
  const env = world.env()
  if (checkpoints) env.enableCheckpointing(100).getCheckpointConfig().setCheckpointStorage('/checkpoints')
  sums(env, world, sink)
  const client = await world.until(env.executeAsync('sums'))
  await world.until(world.files.execute([{ type: 'writeNew', path: '/file', bytes: Uint8Array.of(1) }]))
  await world.advance(255)
  return { sink, client }
}

const triggered = (world: World) => world.steps.some(({ fact }) => fact.type === 'checkpoint.triggered')

describeJobs('A folder that takes no savepoint', (newWorld) => {
  it.each(Object.keys(OBSTACLES).flatMap((what) => Object.keys(ASKS).map((ask) => [what, ask] as const)))(
    'is refused before anything has stopped: %s (%s)',
    async (what, ask) => {
      const { folder, systemCode, says, interfere } = OBSTACLES[what] as Obstacle
      for (const checkpoints of [true, false]) {
        const world = newWorld()
        const { sink, client } = await running(world, checkpoints)
        world.files.interfere = interfere
        const before = world.steps.length
        const failure = await world.failure((ASKS[ask] as (typeof ASKS)[string])(client, folder))
        expect(failure).toMatchObject({ code: 'FILE_ERROR', details: { path: folder, systemCode } })
        expect(failure.message).toContain(`'${folder}'`)
        expect(failure.hint).toMatch(says)
        // No barrier has left, so no source has stopped.
        expect(world.steps.slice(before).filter(({ fact }) => fact.type === 'checkpoint.triggered')).toEqual([])
        expect(await client.getJobStatus()).toBe('RUNNING')
        const completed = world.ofType('checkpoint.completed').length
        await world.until(client.getJobExecutionResult())
        if (checkpoints) expect(world.ofType('checkpoint.completed').length).toBeGreaterThan(completed + 2)
        expect(world.ofType('restart.scheduled')).toEqual([])
        expect(sink.committed.toSorted()).toEqual(sumsOf(60))
      }
    },
  )

  it('is taken when the obstacle is gone, and nothing is left in it but the savepoint', async () => {
    const world = newWorld()
    const { client } = await running(world, true)
    world.files.interfere = failing('create', 'EACCES')
    await world.failure(client.stopWithSavepoint({ drain: false, targetDirectory: '/savepoints' }))
    world.files.interfere = undefined
    const path = await world.until(client.stopWithSavepoint({ drain: false, targetDirectory: '/savepoints' }))
    expect(triggered(world)).toBe(true)
    const left = await world.until(world.files.list('/savepoints'))
    expect(left.map(({ name }) => `/savepoints/${name}`)).toEqual([path])
  })
})
