/** Two processes that want one savepoint at the same moment: one is held before each of its operations, the other runs through. */
import { describe, expect, test } from 'vitest'
import { disposeSavepointOn } from '../../../src/api/dispose-savepoint.ts'
import { SimulatedFileSystem } from '../../../src/base/simulated-file-system.ts'
import { type Claimant, claim, unclaim } from '../../../src/checkpoint/claim.ts'
import { claimedBy } from '../../../src/checkpoint/claim-mark.ts'
import { FileCheckpointStorage } from '../../../src/checkpoint/file-checkpoint-storage.ts'
import { readVerified } from '../../../src/checkpoint/job-storage.ts'
import { codeOf, HERE, JOB_ID, open, portsOn, prepare } from './job-fixture.ts'

const DIRECTORY = '/data'
const FIRST = 'a'.repeat(32)
const SECOND = 'b'.repeat(32)
const turns = { next: (turn: () => void) => queueMicrotask(turn) }

/** The savepoint of a job that has ended, on a disk that two processes see. */
async function savepoint() {
  const files = new SimulatedFileSystem({ turns })
  const job = await open(portsOn(files), DIRECTORY, { fixedJobId: JOB_ID })
  const metadata = { ...(await prepare(job, 7)), kind: 'savepoint' as const }
  const { path } = await job.storage.publishSavepoint('/savepoints', metadata)
  await job.storage.close()
  return { one: files.another(), other: files.another(), found: { location: path, metadata } }
}

type Found = Awaited<ReturnType<typeof savepoint>>['found']
type Act = (files: SimulatedFileSystem, found: Found) => Promise<unknown>

const claimantOn = (files: SimulatedFileSystem, jobId: string): Claimant => {
  const ports = portsOn(files)
  return {
    ports,
    storage: new FileCheckpointStorage(files, DIRECTORY, ports.ids),
    jobId,
    writer: { ...HERE, lock: 'l' },
  }
}
const claimAs =
  (jobId: string): Act =>
  (files, found) =>
    claim(claimantOn(files, jobId), found)
const dispose: Act = (files, { location }) => disposeSavepointOn(files, location)

interface Race {
  readonly held: Act
  readonly runs: Act
  before?(found: Found, files: SimulatedFileSystem): Promise<unknown>
}

/** Gives how both ended, for each operation of `held` before which it was held. */
async function* races({ held, runs, before }: Race) {
  for (let at = 1, reached = true; reached; at++) {
    const { one, other, found } = await savepoint()
    await before?.(found, other)
    let go: () => void = () => {}
    let meet: () => void = () => {}
    const until = new Promise<void>((resolve) => (go = resolve))
    const met = new Promise<boolean>((resolve) => (meet = () => resolve(true)))
    one.interfere = ({ index }) => {
      if (index !== at) return undefined
      meet()
      return { type: 'hold', until }
    }
    const first = codeOf(held(one, found))
    reached = await Promise.race([met, first.then(() => false)])
    const second = await codeOf(runs(other, found))
    go()
    const location = found.location
    const left = await claimantOn(other, SECOND).storage.at('/savepoints').list()
    const isWhole = async () =>
      (await codeOf(readVerified(portsOn(other), claimantOn(other, SECOND).storage, location))) === 'none'
    yield { at, first: await first, second, left, isWhole, owner: () => claimedBy(other, location) }
  }
}

describe('A savepoint that two want at the same moment', () => {
  test('is claimed by one of two jobs, and bears its mark', async () => {
    let rounds = 0
    for await (const { at, first, second, owner } of races({ held: claimAs(FIRST), runs: claimAs(SECOND) })) {
      expect([at, [first, second].toSorted()]).toEqual([at, ['CHECKPOINT_CLAIMED', 'none']])
      expect([at, await owner()]).toEqual([at, first === 'none' ? FIRST : SECOND])
      rounds++
    }
    expect(rounds).toBeGreaterThan(6)
  })

  test('is claimed or refused, never claimed without a mark, when another job gives it back just now', async () => {
    const before = (found: Found, files: SimulatedFileSystem) => claimAs(SECOND)(files, found)
    const runs: Act = (files, { location }) => unclaim(claimantOn(files, SECOND), location)
    for await (const { at, first, owner } of races({ held: claimAs(FIRST), runs, before }))
      expect([at, first, await owner()]).toEqual([at, first, first === 'none' ? FIRST : undefined])
  })

  test.each([
    ['claims', claimAs(FIRST), dispose],
    ['deletes', dispose, claimAs(FIRST)],
  ])(
    'is whole where a job has claimed it, though somebody deletes it meanwhile: held is who %s',
    async (who, held, runs) => {
      const ends = new Set<string>()
      for await (const { at, first, second, isWhole } of races({ held, runs })) {
        const [claimed, disposed] = who === 'claims' ? [first, second] : [second, first]
        expect([at, claimed === 'none' && disposed === 'none']).toEqual([at, false])
        if (claimed === 'none') expect([at, await isWhole()]).toEqual([at, true])
        ends.add(`${claimed} ${disposed}`)
      }
      expect(ends.size).toBeGreaterThan(1)
    },
  )

  test('goes without a trace when it is deleted after a claim that a crash cut off anywhere', async () => {
    for (let at = 1, dead = true; dead; at++) {
      const { one, other, found } = await savepoint()
      one.interfere = ({ index }) => (index === at ? { type: 'stop' } : undefined)
      dead = await Promise.race([claimAs(FIRST)(one, found).then(() => false), one.stopped.then(() => true)])
      const next = other.another()
      if ((await claimedBy(next, found.location)) === FIRST) {
        // The same job goes on, and gives it back.
        await claimAs(FIRST)(next, found)
        await unclaim(claimantOn(next, FIRST), found.location)
      }
      expect([at, await codeOf(dispose(next, found))]).toEqual([at, 'none'])
      expect([at, await next.list('/savepoints')]).toEqual([at, []])
    }
  })
})
