import {
  appendFileSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Ports } from '../../../src/base/ports.ts'
import type { CheckpointObjects } from '../../../src/checkpoint/checkpoint-storage.ts'
import { readMetadata } from '../../../src/checkpoint/completed-checkpoints.ts'
import { fileObjects } from '../../../src/checkpoint/file-objects.ts'
import { frame } from '../../../src/checkpoint/frame.ts'
import { decodeMetadata, encodeMetadata } from '../../../src/checkpoint/metadata-format.ts'
import { encodeHead } from '../../../src/checkpoint/state-file.ts'
import { verifyCheckpoint } from '../../../src/checkpoint/state-reading.ts'
import { codeOf, complete, JOB_ID, OPERATOR, OTHER_OPERATOR, open, portsOn, realFolder, store } from './job-fixture.ts'

const OTHER_JOB = 'fedcba9876543210fedcba9876543210'

let ports: Ports
let directory: string
let chk: string

/** Checkpoints 1 and 2 of a job on a real disk; `chk` is the second. */
beforeEach(async () => {
  const real = realFolder()
  directory = real.directory
  ports = portsOn(real.files)
  const job = await open(ports, directory, { fixedJobId: JOB_ID })
  await complete(job, 1)
  chk = await complete(job, 2)
  await job.storage.close()
})

const stateFile = (folder: string) =>
  join(folder, readdirSync(folder).find((name) => name.includes('-keyed-')) ?? 'none')
/** The files of `chk`; `reads` is how many bytes are asked for at a time. */
function noting(reads: number[]): CheckpointObjects {
  const objects = fileObjects(ports.files, chk)
  return {
    ...objects,
    async open(name) {
      const file = await objects.open(name)
      return {
        read(offset, length) {
          reads.push(length)
          return file.read(offset, length)
        },
        stat: () => file.stat(),
        close: () => file.close(),
      }
    },
  }
}

const resume = () => open(ports, directory, { fixedJobId: JOB_ID, resume: 'latest' })

/** It is refused by that code and by the file's name; checkpoint 1 is there, whole, and never taken instead. */
async function refused(code: string, file: string, words: RegExp) {
  await expect(resume()).rejects.toMatchObject({ code, message: expect.stringContaining(file) })
  await expect(resume()).rejects.toThrow(words)
}

describe('a state file', () => {
  test('that is whole is accepted', async () => {
    expect((await resume()).start).toMatchObject({ kind: 'checkpoint', metadata: { checkpointId: 2 } })
  })

  test('that is missing', async () => {
    const file = stateFile(chk)
    rmSync(file)
    await refused('CHECKPOINT_MISSING', file, /is missing/)
  })

  test('that was cut', async () => {
    const file = stateFile(chk)
    truncateSync(file, 20_000)
    await refused('CHECKPOINT_DAMAGED', file, /\(cut\): it has 20000 bytes instead of/)
  })

  test('that was cut inside its head, or to nothing', async () => {
    const file = stateFile(chk)
    truncateSync(file, 7)
    await refused('CHECKPOINT_DAMAGED', file, /\(cut\)/)
    truncateSync(file, 0)
    await refused('CHECKPOINT_DAMAGED', file, /\(cut\)/)
  })

  test('that was lengthened', async () => {
    const file = stateFile(chk)
    appendFileSync(file, 'x')
    await refused('CHECKPOINT_DAMAGED', file, /\(lengthened\)/)
  })

  test('of another checkpoint', async () => {
    const file = stateFile(chk)
    copyFileSync(stateFile(join(chk, '..', 'chk-1')), file)
    await refused('CHECKPOINT_FOREIGN', file, /of another checkpoint, 1 of epoch 1 instead of 2/)
  })

  test('of another job', async () => {
    const other = await open(ports, directory, { fixedJobId: OTHER_JOB, name: 'other' })
    await complete(other, 1)
    const file = stateFile(chk)
    copyFileSync(stateFile(await complete(other, 2)), file)
    await refused('CHECKPOINT_FOREIGN', file, new RegExp(`of another job, ${OTHER_JOB} instead of ${JOB_ID}`))
  })

  test('that stands where a symbolic link to it stands now', async () => {
    const file = stateFile(chk)
    renameSync(file, `${file}.away`)
    symlinkSync(`${file}.away`, file)
    await refused('CHECKPOINT_FOREIGN', file, /no plain file/)
  })

  test('whose head says a newer format version', async () => {
    const file = stateFile(chk)
    const bytes = readFileSync(file)
    bytes.set(frame('MLRSTATE', 2, {}))
    writeFileSync(file, bytes)
    await refused('CHECKPOINT_VERSION', file, /version 2/)
  })
})

test('two state files of one checkpoint that were swapped', async () => {
  const job = await open(ports, directory, { fixedJobId: OTHER_JOB, name: 'two' })
  const at = { checkpointId: 1, kind: 'keyed' as const, keyGroups: { first: 0, last: 127 } }
  const one = await store(job.storage, { ...at, operatorId: OPERATOR, subtask: 0 }, new Uint8Array(30_000).fill(1))
  const two = await store(
    job.storage,
    { ...at, operatorId: OTHER_OPERATOR, subtask: 0 },
    new Uint8Array(30_000).fill(2),
  )
  const operator = (operatorId: string, keyed: typeof one) => ({
    operatorId,
    name: 'o',
    parallelism: 1,
    maxParallelism: 128,
    subtasks: [{ index: 0, finished: false, keyed }],
  })
  const metadata = {
    jobId: OTHER_JOB,
    jobName: 'two',
    epoch: 1,
    checkpointId: 1,
    kind: 'checkpoint' as const,
    timestamp: 1,
    operators: [operator(OPERATOR, one), operator(OTHER_OPERATOR, two)],
  }
  const { path } = await job.storage.publish(metadata)
  const [a, b] = readdirSync(path).filter((name) => name.includes('-keyed-'))
  renameSync(join(path, a ?? ''), join(path, 'c'))
  renameSync(join(path, b ?? ''), join(path, a ?? ''))
  renameSync(join(path, 'c'), join(path, b ?? ''))
  await expect(verifyCheckpoint(fileObjects(ports.files, path), metadata)).rejects.toMatchObject({
    code: 'CHECKPOINT_FOREIGN',
    message: expect.stringContaining('of another operator'),
  })
  const crossed = { ...metadata, operators: [operator(OPERATOR, two), operator(OTHER_OPERATOR, one)] }
  await expect(verifyCheckpoint(fileObjects(ports.files, path), crossed)).rejects.toMatchObject({
    code: 'CHECKPOINT_DAMAGED',
    message: expect.stringContaining('_metadata'),
  })
})

describe('_metadata', () => {
  const path = () => join(chk, '_metadata')

  test('that is missing', async () => {
    rmSync(path())
    await refused('CHECKPOINT_MISSING', path(), /is missing/)
  })

  test('that was cut, at any length', async () => {
    const whole = readFileSync(path())
    for (const length of [0, 3, 15, 16, 40, whole.length - 1]) {
      writeFileSync(path(), whole.subarray(0, length))
      await refused('CHECKPOINT_DAMAGED', path(), /\(cut\)/)
    }
  })

  test('that was lengthened', async () => {
    appendFileSync(path(), 'x')
    await refused('CHECKPOINT_DAMAGED', path(), /\(lengthened\)/)
  })

  test('that says nothing, or something else, of the size that it has is refused without being read', async () => {
    const whole = readFileSync(path())
    const saysSo = Buffer.from(whole)
    saysSo.writeUInt32BE(400_000_000, 12)
    for (const [bytes, words] of [
      [Buffer.alloc(0), /\(malformed\)/],
      [whole, /\(lengthened\): it has 500000000 bytes instead of/],
      [saysSo, /\(lengthened\): it has 500000000 bytes instead of 400000020/],
    ] as const) {
      writeFileSync(path(), bytes)
      truncateSync(path(), 500_000_000)
      const reads: number[] = []
      await expect(readMetadata(noting(reads))).rejects.toThrow(words)
      expect(reads).toEqual([16])
    }
    writeFileSync(path(), whole)
    const reads: number[] = []
    expect((await readMetadata(noting(reads))).checkpointId).toBe(2)
    expect(reads).toEqual([16, whole.length])
  })

  test('of another checkpoint of the job, or of another job', async () => {
    copyFileSync(join(chk, '..', 'chk-1', '_metadata'), path())
    await refused('CHECKPOINT_FOREIGN', path(), /of checkpoint 1 instead of 2/)
    const other = await open(ports, directory, { fixedJobId: OTHER_JOB, name: 'other' })
    copyFileSync(join(await complete(other, 2), '_metadata'), path())
    await refused('CHECKPOINT_FOREIGN', path(), /of another job/)
  })

  test('in a folder that is a symbolic link', async () => {
    renameSync(chk, join(directory, 'elsewhere'))
    symlinkSync(join(directory, 'elsewhere'), chk)
    await refused('CHECKPOINT_MISSING', chk, /symbolic links are not followed/)
  })

  test('of a savepoint path where there is none', async () => {
    const fromSavepoint = join(directory, 'nothing')
    await expect(open(ports, directory, { fromSavepoint })).rejects.toMatchObject({
      code: 'CHECKPOINT_MISSING',
      message: expect.stringContaining(fromSavepoint),
    })
  })
})

test('every flipped bit, in metadata and in state, is found', async () => {
  const files = [join(chk, '_metadata'), stateFile(chk)]
  const whole = files.map((file) => readFileSync(file))
  const objects = fileObjects(ports.files, chk)
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 1 }),
      fc.nat(),
      fc.integer({ min: 0, max: 7 }),
      async (which, at, bit) => {
        const bytes = Buffer.from(whole[which] ?? [])
        const index = at % bytes.length
        bytes[index] = (bytes[index] ?? 0) ^ (1 << bit)
        writeFileSync(files[which] ?? '', bytes)
        const code = await codeOf(readMetadata(objects).then((metadata) => verifyCheckpoint(objects, metadata)))
        writeFileSync(files[which] ?? '', whole[which] ?? '')
        return code === 'CHECKPOINT_DAMAGED'
      },
    ),
    { numRuns: 300 },
  )
  expect(await codeOf(readMetadata(objects).then((metadata) => verifyCheckpoint(objects, metadata)))).toBe('none')
})

describe('hostile metadata', () => {
  const metadata = {
    jobId: JOB_ID,
    jobName: 'n',
    epoch: 1,
    checkpointId: 1,
    kind: 'checkpoint',
    timestamp: 1,
    operators: [],
  }
  const operator = { operatorId: OPERATOR, name: 'o', parallelism: 1, maxParallelism: 128, subtasks: [] }
  const identity = { checkpointId: 1, operatorId: OPERATOR, subtask: 0, kind: 'keyed' }
  const file = { type: 'file', identity, path: 'a', length: 1, sha256: 'a'.repeat(64) }
  const withHandle = (keyed: unknown) => ({
    ...metadata,
    operators: [{ ...operator, subtasks: [{ index: 0, finished: false, keyed }] }],
  })

  test('the honest ones among these are accepted', () => {
    expect(decodeMetadata(frame('MLRCHKPT', 1, withHandle(file)), 'p')).toEqual(withHandle(file))
  })

  test.each([
    ['a path that leads out of the folder', withHandle({ ...file, path: '../x' })],
    ['an absolute path', withHandle({ ...file, path: '/etc/passwd' })],
    ['a path with a NUL', withHandle({ ...file, path: 'a\0b' })],
    ['a negative length', withHandle({ ...file, length: -1 })],
    ['a hash that is none', withHandle({ ...file, sha256: 'x' })],
    ['an unknown type of handle', withHandle({ ...file, type: 'constructor' })],
    ['an operator twice', { ...metadata, operators: [operator, operator] }],
    [
      'a subtask above the parallelism',
      { ...metadata, operators: [{ ...operator, subtasks: [{ index: 1, finished: true }] }] },
    ],
    ['a list where an object belongs', []],
    ['nothing', null],
    ['a job id that is a path', { ...metadata, jobId: '../../etc' }],
  ])('%s is refused', async (_, json) => {
    expect(() => decodeMetadata(frame('MLRCHKPT', 1, json), 'p')).toThrow(
      expect.objectContaining({ code: 'CHECKPOINT_DAMAGED' }),
    )
  })

  test('lengths and nesting beyond all reason are refused before anything is parsed or allocated', () => {
    const bytes = encodeMetadata(metadata as never)
    new DataView(bytes.buffer).setUint32(12, 0xffffffff)
    expect(() => decodeMetadata(bytes, 'p')).toThrow(/cut/)
    let deep: unknown = 1
    for (let i = 0; i < 5000; i++) deep = [deep]
    const begunMs = performance.now()
    expect(() => decodeMetadata(frame('MLRCHKPT', 1, deep), 'p')).toThrow(/nests more than 64 deep/)
    expect(performance.now() - begunMs).toBeLessThan(500)
  })

  test('a newer format is named as such', () => {
    expect(() => decodeMetadata(frame('MLRCHKPT', 3, metadata), 'p')).toThrow(
      expect.objectContaining({ code: 'CHECKPOINT_VERSION' }),
    )
  })

  test('names that poison prototypes change nothing', () => {
    const text = `{"__proto__":{"polluted":1},${JSON.stringify(metadata).slice(1)}`
    decodeMetadata(frame('MLRCHKPT', 1, JSON.parse(text)), 'p')
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  test('any bytes at all are answered by a StreamError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (noise, keepStart) => {
        const bytes = keepStart ? Buffer.concat([encodeMetadata(metadata as never).subarray(0, 16), noise]) : noise
        expect(() => decodeMetadata(bytes, 'p')).toThrow(expect.objectContaining({ name: 'StreamError' }))
      }),
      { numRuns: 500 },
    )
  })
})

test('the head of a state file is shorter than what is read of it', () => {
  const head = encodeHead({
    jobId: JOB_ID,
    epoch: 2 ** 53 - 1,
    checkpointId: 2 ** 53 - 1,
    operatorId: OPERATOR,
    subtask: 32_767,
    kind: 'coordinator',
    keyGroups: { first: 32_767, last: 32_767 },
  })
  expect(head.length).toBeLessThan(500)
})
