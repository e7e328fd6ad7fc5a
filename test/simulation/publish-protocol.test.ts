/**
 * Loses the power, and kills the process, at every operation of three checkpoints with one retained, and asks the next
 * process: whatever was reported complete must be there. The broken variants show that the question bites.
 */
import { expect, test } from 'vitest'
import { StreamError } from '../../src/base/errors.ts'
import type { FileSystem } from '../../src/base/file-system.ts'
import { seededIds } from '../../src/base/ids.ts'
import { seededRandom } from '../../src/base/random.ts'
import { type DurabilityModel, SimulatedDisk } from '../../src/base/simulated-disk.ts'
import { SimulatedFileSystem } from '../../src/base/simulated-file-system.ts'
import { complete, discard, JOB_ID, open, portsOn, prepare, restored, stateOf } from '../unit/checkpoint/job-fixture.ts'

const DIRECTORY = '/var/data/checkpoints'
const CHECKPOINTS = 3
const turns = { next: (turn: () => void) => queueMicrotask(turn) }
const byHand = { fixedJobId: JOB_ID, resume: 'latest' as const }

interface Variant {
  /** What stands between the job and the disk. */
  readonly wrap: (files: FileSystem) => FileSystem
  readonly deleteFirst: boolean
}

const correct: Variant = { wrap: (files) => files, deleteFirst: false }
const withoutFolderSync: Variant = { ...correct, wrap: dropFolderSyncs }
const withoutFileSync: Variant = { ...correct, wrap: dropFileSyncs }
const deletingFirst: Variant = { ...correct, deleteFirst: true }

/** Runs the job from wherever the disk stands; `reported` hears of each checkpoint that is complete. */
async function runJob(files: FileSystem, variant: Variant, reported: (checkpointId: number) => void): Promise<void> {
  const job = await open(portsOn(variant.wrap(files), { ids: seededIds(seededRandom(1)) }), DIRECTORY, {
    ...byHand,
    takeover: true,
  })
  let previous = job.retained.at(-1)?.metadata.checkpointId
  for (let id = job.nextCheckpointId; id < job.nextCheckpointId + CHECKPOINTS; id++) {
    if (variant.deleteFirst && previous !== undefined) await discard(job, previous)
    await complete(job, id)
    reported(id)
    if (!variant.deleteFirst && previous !== undefined) await discard(job, previous)
    previous = id
  }
}

/** What the next process finds: the reason why that is wrong, or undefined. */
async function question(found: SimulatedFileSystem, lastReported: number): Promise<string | undefined> {
  try {
    const job = await open(portsOn(found), DIRECTORY, { ...byHand, takeover: true })
    if (job.start.kind === 'empty')
      return lastReported === 0 ? undefined : `checkpoint ${lastReported} was complete and it starts empty`
    const { checkpointId, keyed, operator } = await restored(job)
    const expected = stateOf(checkpointId)
    if (checkpointId < lastReported) return `checkpoint ${lastReported} was complete and it restores ${checkpointId}`
    return Buffer.compare(keyed, expected.keyed) === 0 && Buffer.compare(operator, expected.operator) === 0
      ? undefined
      : 'other state'
  } catch (thrown) {
    if (StreamError.is(thrown)) return `after checkpoint ${lastReported}: ${thrown.code} ${thrown.message}`
    throw thrown
  }
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
  before = 0,
): Promise<Enumeration> {
  const images: { readonly found: SimulatedFileSystem; readonly lastReported: number; readonly name: string }[] = []
  let lastReported = before
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
  files.interfere = (operation) => {
    takeImages(`before operation ${operation.index} (${operation.type} ${operation.path})`)
    return undefined
  }
  await runJob(files, variant, (id) => {
    lastReported = id
  })
  takeImages('at the end')
  const wrong: string[] = []
  for (const { found, lastReported, name } of images) {
    const answer = await question(found, lastReported)
    if (answer !== undefined) wrong.push(`${name}: ${answer}`)
  }
  return { operations: files.operations, images: images.length, wrong }
}

const BOTH: readonly DurabilityModel[] = ['posix', 'ordered']

test('power loss at any operation: every checkpoint that was reported complete is restored, whole', async () => {
  const { operations, images, wrong } = await enumerate(correct, BOTH, 6)
  expect(wrong).toEqual([])
  expect(operations).toBeGreaterThan(80)
  expect(images).toBe((operations + 1) * 12)
})

test('the process is killed at any operation, the next one resumes, and the power is lost while that one works', async () => {
  const whole = new SimulatedFileSystem({ turns })
  await runJob(whole, correct, () => {})
  for (let last = 1; last <= whole.operations; last += 3) {
    let reported = 0
    const files = new SimulatedFileSystem({
      turns,
      interfere: ({ index }) => (index === last ? { type: 'stop' } : undefined),
    })
    await Promise.race([
      files.stopped,
      runJob(files, correct, (id) => {
        reported = id
      }),
    ])
    expect(await question(files.another(), reported)).toBeUndefined()
    const { wrong } = await enumerate(correct, ['posix'], 1, files.disk, reported)
    expect(wrong).toEqual([])
  }
})

test('the power is lost a second time while the next process is opening the job', async () => {
  for (let seed = 0; seed < 6; seed++) {
    const files = new SimulatedFileSystem({ turns })
    await runJob(files, correct, () => {})
    const found = files.crash({ random: seededRandom(seed), model: 'posix' })
    const { wrong } = await enumerate(correct, BOTH, 2, found.disk, CHECKPOINTS)
    expect(wrong).toEqual([])
  }
})

test.each([
  ['folders are not synced', withoutFolderSync, BOTH],
  ['files are not synced', withoutFileSync, BOTH],
  ['the old checkpoint is deleted before the new one is durable', deletingFirst, BOTH],
] as const)('the same question finds out when %s', async (_, variant, models) => {
  const { wrong } = await enumerate(variant, models, 6)
  expect(wrong.length).toBeGreaterThan(0)
})

test('a metadata file that was torn is never taken for a checkpoint, whatever else is lost', async () => {
  const { wrong } = await enumerate(withoutFileSync, BOTH, 6)
  expect(wrong.filter((line) => line.includes('other state'))).toEqual([])
})

test('a checkpoint that was only prepared is not there for the next process', async () => {
  const files = new SimulatedFileSystem({ turns })
  const job = await open(portsOn(files), DIRECTORY, byHand)
  await complete(job, 1)
  await prepare(job, 2)
  const next = await open(portsOn(files.kill()), DIRECTORY, { ...byHand, takeover: true })
  expect(await restored(next)).toEqual({ checkpointId: 1, ...stateOf(1) })
  expect(next.nextCheckpointId).toBe(2)
})

function dropFolderSyncs(files: FileSystem): FileSystem {
  return {
    ...bound(files),
    execute: (operations) => files.execute(operations.filter(({ type }) => type !== 'syncFolder')),
  }
}

function dropFileSyncs(files: FileSystem): FileSystem {
  return {
    ...bound(files),
    async execute(operations) {
      for (const operation of operations)
        if (operation.type !== 'writeNew') await files.execute([operation])
        else {
          const file = await files.createExclusive(operation.path)
          await file.append(operation.bytes)
          await file.close()
        }
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
