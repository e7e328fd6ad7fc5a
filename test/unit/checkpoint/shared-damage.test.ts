/** Damage to the files that checkpoints share: refused, each time, by the name of the file; never restored, never passed over. */
import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Ports } from '../../../src/base/ports.ts'
import { randomInteger, seededRandom } from '../../../src/base/random.ts'
import type { CheckpointMetadata } from '../../../src/checkpoint/checkpoint-metadata.ts'
import { readMetadata } from '../../../src/checkpoint/completed-checkpoints.ts'
import { fileObjects } from '../../../src/checkpoint/file-objects.ts'
import { frame } from '../../../src/checkpoint/frame.ts'
import { decodeMetadata } from '../../../src/checkpoint/metadata-format.ts'
import { verifyCheckpoint } from '../../../src/checkpoint/state-reading.ts'
import type { SharedHandle } from '../../../src/state/snapshot.ts'
import { completeSharing, wrongParts } from './incremental-fixture.ts'
import { JOB_ID, OPERATOR, OTHER_OPERATOR, open, portsOn, realFolder } from './job-fixture.ts'

const DAMAGES = Number(process.env.MILLRACE_DAMAGES ?? 100)
const OTHER_JOB = 'fedcba9876543210fedcba9876543210'

let ports: Ports
let directory: string
let shared: string
let chk: string
let first: SharedHandle
let second: SharedHandle

/** Checkpoints 1 to 3 of a job on a real disk; the third names the files of all. */
beforeEach(async () => {
  const real = realFolder()
  directory = real.directory
  ports = portsOn(real.files)
  const job = await open(ports, directory, { fixedJobId: JOB_ID })
  first = await completeSharing(job, 1)
  second = await completeSharing(job, 2, [first])
  await completeSharing(job, 3, [first, second])
  shared = join(directory, JOB_ID, 'shared')
  chk = join(directory, JOB_ID, 'chk-3')
  await job.storage.close()
})

const resume = () => open(ports, directory, { fixedJobId: JOB_ID, resume: 'latest' })

async function refused(code: string, file: string, words: RegExp) {
  await expect(resume()).rejects.toMatchObject({ code, message: expect.stringContaining(file) })
  await expect(resume()).rejects.toThrow(words)
}

describe('A shared file', () => {
  test('that is whole is restored', async () => {
    expect(await wrongParts(await resume())).toBeUndefined()
  })

  test('that is missing, alone or with all others', async () => {
    rmSync(join(shared, first.path))
    await refused('CHECKPOINT_MISSING', join(shared, first.path), /is missing/)
    rmSync(shared, { recursive: true })
    await refused('CHECKPOINT_MISSING', join(shared, first.path), /is missing/)
  })

  test('of another checkpoint of the job', async () => {
    copyFileSync(join(shared, first.path), join(shared, second.path))
    await refused('CHECKPOINT_FOREIGN', join(shared, second.path), /of another checkpoint, 1 of epoch 1 instead of 2/)
  })

  test('of the same checkpoint id in another epoch', async () => {
    const objects = fileObjects(ports.files, chk)
    const metadata = await readMetadata(objects)
    const [operator] = metadata.operators
    const keyed = operator?.subtasks[0]?.keyed
    if (operator === undefined || keyed?.type !== 'composite') return expect.unreachable()
    const otherEpoch = { ...keyed, parts: [{ ...first, epoch: 2 }] }
    const operators = [{ ...operator, subtasks: [{ index: 0, finished: false, keyed: otherEpoch }] }]
    await expect(verifyCheckpoint(objects, { ...metadata, epoch: 2, operators })).rejects.toMatchObject({
      code: 'CHECKPOINT_FOREIGN',
      message: expect.stringContaining('1 of epoch 1 instead of 1 of epoch 2'),
    })
  })

  test('of another job', async () => {
    const other = await open(ports, directory, { fixedJobId: OTHER_JOB, name: 'other' })
    const foreign = await completeSharing(other, 1)
    copyFileSync(join(directory, OTHER_JOB, 'shared', foreign.path), join(shared, first.path))
    await refused('CHECKPOINT_FOREIGN', join(shared, first.path), new RegExp(`of another job, ${OTHER_JOB}`))
  })

  test('in the place of which a symbolic link to it stands', async () => {
    renameSync(join(shared, first.path), join(directory, 'away'))
    symlinkSync(join(directory, 'away'), join(shared, first.path))
    await refused('CHECKPOINT_FOREIGN', join(shared, first.path), /no plain file/)
  })
})

test(`${DAMAGES} random flips, cuts, appended bytes, swaps and deletions: each is refused by the file’s name`, {
  timeout: 300_000,
}, async () => {
  const objects = fileObjects(ports.files, chk)
  const verify = async () => verifyCheckpoint(objects, await readMetadata(objects))
  const own = readdirSync(chk).map((name) => join(chk, name))
  const files = [...readdirSync(shared).map((name) => join(shared, name)), ...own]
  const whole = new Map(files.map((file) => [file, readFileSync(file)]))
  const random = seededRandom(5)
  for (let count = 0; count < DAMAGES; count++) {
    const file = files[randomInteger(random, 0, files.length - 1)] as string
    const bytes = whole.get(file) as Buffer
    const at = randomInteger(random, 0, bytes.length - 1)
    const kind = randomInteger(random, 0, 4)
    if (kind === 0) {
      const flipped = Buffer.from(bytes)
      flipped[at] = (flipped[at] as number) ^ (1 << randomInteger(random, 0, 7))
      writeFileSync(file, flipped)
    } else if (kind === 1) writeFileSync(file, bytes.subarray(0, at))
    else if (kind === 2) writeFileSync(file, Buffer.concat([bytes, bytes.subarray(0, at + 1)]))
    else if (kind === 3) rmSync(file)
    else copyFileSync(files[(files.indexOf(file) + 1) % files.length] as string, file)
    await expect(verify(), `damage ${count} of kind ${kind} at ${at} of ${file}`).rejects.toMatchObject({
      code: expect.stringMatching(/^CHECKPOINT_(DAMAGED|MISSING|FOREIGN)$/),
      message: expect.stringContaining(file),
    })
    writeFileSync(file, bytes)
  }
  await verify()
})

describe('Hostile metadata', () => {
  const identity = { checkpointId: 3, operatorId: OPERATOR, subtask: 0, kind: 'keyed' }
  const part = { type: 'shared', identity, epoch: 1, path: 'a', length: 1, sha256: 'a'.repeat(64) }
  const index = { type: 'inline', identity, bytes: '' }
  const whole = { type: 'composite', identity, backend: 'leveldb', index, parts: [part] }
  const metadata = (keyed: unknown, more: object = {}) => ({
    jobId: JOB_ID,
    jobName: 'n',
    epoch: 2,
    checkpointId: 3,
    kind: 'checkpoint',
    timestamp: 1,
    operators: [
      {
        operatorId: OPERATOR,
        name: 'o',
        parallelism: 1,
        maxParallelism: 128,
        subtasks: [{ index: 0, finished: false, keyed }],
        ...more,
      },
    ],
  })
  const decoded = (json: unknown): CheckpointMetadata => decodeMetadata(frame('MLRCHKPT', 1, json), 'p')

  test('the honest ones among these are accepted', () => {
    expect(decoded(metadata(whole))).toEqual(metadata(whole))
    expect(decoded(metadata(part))).toEqual(metadata(part))
  })

  test.each([
    ['a part that leads out of the folder', metadata({ ...whole, parts: [{ ...part, path: '../job.json' }] })],
    ['a part without epoch', metadata({ ...whole, parts: [{ ...part, epoch: undefined }] })],
    ['a part of parts', metadata({ ...whole, parts: [whole] })],
    ['a shared index', metadata({ ...whole, index: part })],
    ['a backend that is a path', metadata({ ...whole, backend: '../x' })],
    ['more parts than any state has', metadata({ ...whole, parts: new Array(100_001).fill(index) })],
    ['a part from the future', metadata({ ...whole, parts: [{ ...part, epoch: 3 }] })],
    [
      'a part of a later checkpoint',
      metadata({ ...whole, parts: [{ ...part, identity: { ...identity, checkpointId: 4 } }] }),
    ],
    ['a savepoint with a shared file', { ...metadata(whole), kind: 'savepoint' }],
    ['an enumerator of several files', metadata(undefined, { coordinator: whole })],
    [
      'operator state of several files',
      metadata(undefined, { subtasks: [{ index: 0, finished: false, operator: whole }] }),
    ],
  ])('%s is refused', (_, json) => {
    expect(() => decoded(json)).toThrow(expect.objectContaining({ code: 'CHECKPOINT_DAMAGED' }))
  })

  test.each([
    ['a part of another operator', { ...part, identity: { ...identity, operatorId: OTHER_OPERATOR, checkpointId: 1 } }],
    ['a part of another kind', { ...part, identity: { ...identity, kind: 'operator' } }],
    [
      'a file of its own of an earlier checkpoint',
      { ...part, type: 'file', identity: { ...identity, checkpointId: 1 } },
    ],
    ['a small part of a later checkpoint', { ...index, identity: { ...identity, checkpointId: 4 } }],
  ])('%s is refused where it stands', async (_, wrong) => {
    const found = decoded(metadata({ ...whole, parts: [wrong] }))
    await expect(verifyCheckpoint(fileObjects(ports.files, chk), found)).rejects.toMatchObject({
      code: 'CHECKPOINT_DAMAGED',
      message: expect.stringContaining('_metadata'),
    })
  })

  test('a small part of an earlier checkpoint, written by another subtask, is in its place', async () => {
    const earlier = { ...index, identity: { ...identity, checkpointId: 1, subtask: 5 } }
    await verifyCheckpoint(fileObjects(ports.files, chk), decoded(metadata({ ...whole, parts: [earlier] })))
  })
})
