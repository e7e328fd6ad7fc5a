/**
 * Loses the power, and kills the process, at every operation of checkpoints that share files, are subsumed and given up,
 * and asks the next process: what was reported complete is there, whole, and no file without a reader is left. The
 * broken variants show that the question bites.
 */
import { expect, test } from 'vitest'
import { StreamError } from '../../src/base/errors.ts'
import type { FileOperation, FileSystem } from '../../src/base/file-system.ts'
import { seededIds } from '../../src/base/ids.ts'
import { seededRandom } from '../../src/base/random.ts'
import { type DurabilityModel, SimulatedDisk } from '../../src/base/simulated-disk.ts'
import { SimulatedFileSystem } from '../../src/base/simulated-file-system.ts'
import type { OpenedJob } from '../../src/checkpoint/job-directory.ts'
import type { StoredHandle } from '../../src/state/snapshot.ts'
import { completeSharing, partsOf, prepareSharing, wrongParts } from '../unit/checkpoint/incremental-fixture.ts'
import { codeOf, discard, JOB_ID, open, portsOn } from '../unit/checkpoint/job-fixture.ts'

const DIRECTORY = '/var/data/checkpoints'
const FOLDER = `${DIRECTORY}/${JOB_ID}`
const SHARED = `${FOLDER}/shared`
const CHECKPOINTS = 4
const turns = { next: (turn: () => void) => queueMicrotask(turn) }
const byHand = { fixedJobId: JOB_ID, resume: 'latest' as const, takeover: true }

interface Variant {
  /** What stands between the job and the disk. */
  readonly wrap: (files: FileSystem) => FileSystem
  /** What somebody deletes besides, when a checkpoint is about to be published or a process has begun. */
  readonly meddle?: ((files: FileSystem, at: Moment) => Promise<void>) | undefined
}

interface Moment {
  readonly type: 'begun' | 'publishing'
  /** What the next checkpoint names of earlier ones. */
  readonly needed: readonly string[]
  /** What a process that died remembered of the shared files. */
  readonly remembered: readonly string[]
}

const correct: Variant = { wrap: (files) => files }

/** The newest two files are named again; every third checkpoint begins anew, as with a new base. */
function olderFor(checkpointId: number, parts: readonly StoredHandle[]): readonly StoredHandle[] {
  return checkpointId % 3 === 0 ? [] : parts.slice(-2)
}

/** Runs the job from wherever the disk stands, one checkpoint retained; `reported` hears of each that is complete. */
async function runJob(
  files: FileSystem,
  variant: Variant,
  reported: (checkpointId: number) => void,
  remembered: readonly string[] = [],
): Promise<void> {
  const job = await open(portsOn(variant.wrap(files), { ids: seededIds(seededRandom(1)) }), DIRECTORY, byHand)
  let parts = restoredParts(job)
  await variant.meddle?.(files, { type: 'begun', needed: namesOf(parts), remembered })
  let previous = job.retained.at(-1)?.metadata.checkpointId
  for (let id = job.nextCheckpointId; id < job.nextCheckpointId + CHECKPOINTS; id++) {
    const older = olderFor(id, parts)
    if (id % 4 === 0) {
      await prepareSharing(job, id, older)
      await job.storage.discardPending(id)
      continue
    }
    const { metadata, written } = await prepareSharing(job, id, older)
    await variant.meddle?.(files, { type: 'publishing', needed: namesOf(older), remembered })
    await job.storage.publish(metadata)
    reported(id)
    if (previous !== undefined) await discard(job, previous)
    parts = [...older, written]
    previous = id
  }
}

function restoredParts({ start }: OpenedJob): readonly StoredHandle[] {
  return start.kind === 'checkpoint' ? partsOf(start.metadata) : []
}

function namesOf(parts: readonly StoredHandle[]): readonly string[] {
  return parts.flatMap((part) => (part.type === 'shared' ? [part.path] : []))
}

/** What the next process finds: the reason why that is wrong, or undefined. */
async function question(found: SimulatedFileSystem, lastReported: number): Promise<string | undefined> {
  try {
    const job = await open(portsOn(found), DIRECTORY, byHand)
    if (job.start.kind === 'empty')
      return lastReported === 0
        ? await orphans(found, job)
        : `checkpoint ${lastReported} was complete and it starts empty`
    if (job.start.kind !== 'checkpoint') return `it starts ${job.start.kind}`
    const { checkpointId } = job.start.metadata
    if (checkpointId < lastReported) return `checkpoint ${lastReported} was complete and it restores ${checkpointId}`
    const wrong = (await wrongParts(job)) ?? (await orphans(found, job))
    if (wrong !== undefined) return wrong
    // And it goes on from there, naming what it has restored.
    await completeSharing(job, job.nextCheckpointId, restoredParts(job))
    const next = await open(portsOn(found), DIRECTORY, byHand)
    return await wrongParts(next)
  } catch (thrown) {
    if (StreamError.is(thrown)) return `after checkpoint ${lastReported}: ${thrown.code} ${thrown.message}`
    throw thrown
  }
}

/** A file that no published checkpoint names, or the reverse. */
async function orphans(found: SimulatedFileSystem, job: OpenedJob): Promise<string | undefined> {
  const there = found.disk.find(SHARED) === undefined ? [] : (await found.list(SHARED)).map(({ name }) => name)
  const published = (await job.storage.readCompleted()).flatMap(({ metadata }) => namesOf(partsOf(metadata)))
  const named = [...new Set(published)].sort()
  return there.join() === named.join() ? undefined : `there is [${there.join()}] and named is [${named.join()}]`
}

interface Enumeration {
  readonly operations: number
  readonly images: number
  readonly wrong: readonly string[]
}

/** Takes images of the disk before every operation and at the end, then asks about each. */
async function enumerate(
  variant: Variant,
  models: readonly DurabilityModel[],
  seeds: number,
  disk = new SimulatedDisk(),
  before = { reported: 0, remembered: [] as readonly string[] },
): Promise<Enumeration> {
  const images: { readonly found: SimulatedFileSystem; readonly lastReported: number; readonly name: string }[] = []
  let lastReported = before.reported
  const files = new SimulatedFileSystem({ disk, turns })
  const takeImages = (at: string) => {
    for (const model of models)
      for (let seed = 0; seed < seeds; seed++)
        images.push({
          found: files.image({ random: seededRandom(seed * 7919 + files.operations), model }),
          lastReported,
          name: `${at}, ${model}, seed ${seed}`,
        })
  }
  files.interfere = ({ index, type, path }) => {
    takeImages(`before operation ${index} (${type} ${path})`)
    return undefined
  }
  const reported = (id: number) => {
    lastReported = id
  }
  await runJob(files, variant, reported, before.remembered).catch((thrown: unknown) => {
    // A broken protocol may stop the job itself; what it leaves is asked about all the same.
    if (variant === correct || !StreamError.is(thrown)) throw thrown
  })
  takeImages('at the end')
  const wrong: string[] = []
  for (const { found, lastReported: last, name } of images) {
    const answer = await question(found, last)
    if (answer !== undefined) wrong.push(`${name}: ${answer}`)
    // One is enough to know that a protocol is broken.
    if (variant !== correct && wrong.length > 0) break
  }
  return { operations: files.operations, images: images.length, wrong }
}

const BOTH: readonly DurabilityModel[] = ['posix', 'ordered']

test('power loss at any operation: what was reported complete is restored with every file that it shares, and no other file stays', async () => {
  const { operations, images, wrong } = await enumerate(correct, BOTH, 2)
  expect(wrong).toEqual([])
  expect(operations).toBeGreaterThan(100)
  expect(images).toBe((operations + 1) * 4)
})

test('the process is killed at any operation, the next one resumes, and the power is lost while that one works', {
  timeout: 60_000,
}, async () => {
  const whole = new SimulatedFileSystem({ turns })
  await runJob(whole, correct, () => {})
  for (let last = 1; last <= whole.operations; last += 17) {
    let reported = 0
    const files = new SimulatedFileSystem({
      turns,
      interfere: ({ index }) => (index === last ? { type: 'stop' } : undefined),
    })
    const see = (id: number) => {
      reported = id
    }
    await Promise.race([files.stopped, runJob(files, correct, see)])
    expect(await question(new SimulatedFileSystem({ disk: imageOf(files), turns }), reported)).toBeUndefined()
    const { wrong } = await enumerate(correct, ['posix'], 1, files.disk, { reported, remembered: [] })
    expect(wrong).toEqual([])
  }
})

test('the disk refuses to sync the new folder of the shared files, and the power is lost during the next checkpoint', async () => {
  const files = new SimulatedFileSystem({ turns })
  const job = await open(portsOn(files), DIRECTORY, byHand)
  const { metadata } = await prepareSharing(job, 1, [])
  files.interfere = ({ type, path }) =>
    type === 'syncFolder' && path === FOLDER ? { type: 'fail', code: 'EIO' } : undefined
  expect(await codeOf(job.storage.publish(metadata))).toBe('FILE_ERROR')
  files.interfere = undefined
  await job.storage.discardPending(1)
  const images: SimulatedFileSystem[] = []
  files.interfere = ({ index }) => {
    for (let seed = 0; seed < 30; seed++)
      images.push(files.image({ random: seededRandom(seed * 7919 + index), model: 'posix' }))
    return undefined
  }
  await completeSharing(job, 2)
  for (const found of images) expect(await question(found, 0)).toBeUndefined()
})

/** The disk as a kill leaves it: nothing is lost; the copy can be worked on. */
function imageOf(files: SimulatedFileSystem): SimulatedDisk {
  return files.image({ random: { next: () => 0.999_999 }, model: 'ordered' }).disk
}

test.each<readonly [string, Variant]>([
  ['folders are not synced', { wrap: filtering(({ type }) => type !== 'syncFolder') }],
  ['a checkpoint is published before what its shared files hold is durable', { wrap: withoutFileSync }],
  ['a checkpoint is published before the files that it shares are there', { wrap: sharingLate }],
  [
    'what the next checkpoint does not name is deleted before its metadata is durable',
    { ...correct, meddle: (files, { type, needed }) => (type === 'publishing' ? keepOnly(files, needed) : done()) },
  ],
])('the same question finds out when %s', async (_, variant) => {
  const { wrong } = await enumerate(variant, BOTH, 3)
  expect(wrong.length).toBeGreaterThan(0)
  expect(wrong.join()).toMatch(/CHECKPOINT_MISSING|CHECKPOINT_DAMAGED|it starts empty|restores/)
})

test('the same question finds out when files are deleted from what a dead process remembered', async () => {
  const files = new SimulatedFileSystem({ turns })
  let reported = 0
  let remembered: readonly string[] = []
  await runJob(files, correct, (id) => {
    reported = id
    // It remembers what was there one checkpoint ago.
    if (id < 3) remembered = [...(files.disk.find(SHARED)?.kind === 'folder' ? namesIn(files.disk) : [])]
  })
  const stale: Variant = {
    ...correct,
    meddle: (disk, moment) => (moment.type === 'begun' ? keepOnly(disk, moment.remembered) : done()),
  }
  const { wrong } = await enumerate(stale, ['posix'], 1, files.disk, { reported, remembered })
  expect(wrong.join()).toMatch(/CHECKPOINT_MISSING/)
})

function namesIn(disk: SimulatedDisk): readonly string[] {
  const folder = disk.find(SHARED)
  return folder?.kind === 'folder' ? [...folder.live.keys()] : []
}

async function done(): Promise<void> {}

async function keepOnly(files: FileSystem, names: readonly string[]): Promise<void> {
  const there = await files.list(SHARED).catch(() => [])
  const others = there.filter(({ name }) => !names.includes(name))
  await files.execute([
    ...others.map(({ name }): FileOperation => ({ type: 'remove', path: `${SHARED}/${name}` })),
    ...(others.length === 0 ? [] : [{ type: 'syncFolder', path: SHARED } as const]),
  ])
}

function filtering(keeps: (operation: FileOperation) => boolean): (files: FileSystem) => FileSystem {
  return (files) => ({ ...bound(files), execute: (operations) => files.execute(operations.filter(keeps)) })
}

/** Of those that are shared. */
function withoutFileSync(files: FileSystem): FileSystem {
  return {
    ...bound(files),
    async execute(operations) {
      for (const operation of operations)
        if (operation.type !== 'writeNew' || !/\/[0-9a-f]{32}-\d+-\d+-[0-9a-z]+$/.test(operation.path))
          await files.execute([operation])
        else {
          const file = await files.createExclusive(operation.path)
          await file.append(operation.bytes)
          await file.close()
        }
    },
  }
}

/** The renames into the shared folder come after the one that makes the checkpoint visible, out of its folder. */
function sharingLate(files: FileSystem): FileSystem {
  let late: FileOperation[] = []
  return {
    ...bound(files),
    async execute(operations) {
      const renames = operations.filter((one) => one.type === 'rename' && one.to.startsWith(`${SHARED}/`))
      late.push(...renames)
      await files.execute(operations.filter((one) => !renames.includes(one)))
      const published = operations.find((one) => one.type === 'rename' && /\/chk-\d+$/.test(one.to))
      if (published?.type !== 'rename') return
      const moved = late.map((one) =>
        one.type === 'rename' ? { ...one, from: one.from.replace(published.from, published.to) } : one,
      )
      late = []
      await files.execute([...moved, { type: 'syncFolder', path: SHARED }])
    },
  }
}

function bound(files: FileSystem): FileSystem {
  return {
    openRead: (path) => files.openRead(path),
    createExclusive: (path) => files.createExclusive(path),
    read: (path) => files.read(path),
    stat: (path) => files.stat(path),
    list: (path) => files.list(path),
    execute: (operations) => files.execute(operations),
    gunzip: (packed, chunkBytes) => files.gunzip(packed, chunkBytes),
  }
}
