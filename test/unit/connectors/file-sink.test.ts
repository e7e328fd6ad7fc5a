import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../src/base/random.ts'
import { SimulatedFileSystem } from '../../../src/base/simulated-file-system.ts'
import { FileSink } from '../../../src/connectors/file-sink/file-sink.ts'
import { deadInProgress } from '../../../src/connectors/file-sink/part-names.ts'
import { openSink, type SubtaskOptions } from '../operators/subtask-harness.ts'
import { writeFile } from './files-for-tests.ts'

const lines = () => FileSink.forLines('/out')

async function names(files: SimulatedFileSystem): Promise<readonly string[]> {
  return (await files.list('/out')).map(({ name }) => name)
}

/** What a reader of the finished files sees. */
async function finished(files: SimulatedFileSystem): Promise<readonly string[]> {
  const found: string[] = []
  for (const name of await names(files))
    if (!name.startsWith('.'))
      found.push(
        ...Buffer.from(await files.read(`/out/${name}`))
          .toString()
          .split('\n')
          .slice(0, -1),
      )
  return found
}

describe('a file sink', () => {
  it('shows a file under its final name only when its checkpoint is complete', async () => {
    const files = new SimulatedFileSystem()
    const running = await openSink(lines(), { files })
    await running.write('one', 'zwölf 😀')
    await running.checkpoint(1)
    const [pending] = await names(files)
    expect(pending).toMatch(/^\.part-0-0\.txt\.a{32}-1-0\.pending$/)
    await running.complete(1)
    expect(await names(files)).toEqual(['part-0-0.txt'])
    expect(await finished(files)).toEqual(['one', 'zwölf 😀'])
  })

  it('rolls at every snapshot, makes no file without records, and counts on', async () => {
    const files = new SimulatedFileSystem()
    const running = await openSink(lines(), { files })
    for (const [id, value] of [
      [1, 'a'],
      [2, undefined],
      [3, 'b'],
    ] as const) {
      if (value !== undefined) await running.write(value)
      await running.checkpoint(id)
      await running.complete(id)
    }
    expect(await names(files)).toEqual(['part-0-0.txt', 'part-0-1.txt'])
  })

  it('rolls earlier when a file is large enough, and commits all its files together', async () => {
    const files = new SimulatedFileSystem()
    const running = await openSink(FileSink.forLines('/out', { rolling: { maxPartSize: 10 } }), { files })
    await running.write('12345678', '1', '2', '3', '4', '5')
    await running.checkpoint(1)
    expect(await finished(files)).toEqual([])
    await running.complete(1)
    expect((await names(files)).length).toBe(2)
    expect(await finished(files)).toEqual(['12345678', '1', '2', '3', '4', '5'])
  })

  it('writes records longer than its buffer, and many of them', async () => {
    const files = new SimulatedFileSystem()
    const running = await openSink(lines(), { files })
    const values = [
      'x'.repeat(200_000),
      ...Array.from({ length: 5_000 }, (_, index) => `line ${index} ${'ä'.repeat(index % 50)}`),
    ]
    await running.write(...values)
    await running.checkpoint(1)
    await running.complete(1)
    expect(await finished(files)).toEqual(values)
  })

  it('is durable before the checkpoint is acknowledged', async () => {
    const files = new SimulatedFileSystem()
    const running = await openSink(lines(), { files })
    await running.write('safe')
    const state = await running.checkpoint(1)
    const after = files.crash({ random: seededRandom(1), model: 'posix' })
    await openSink(lines(), { files: after, restored: [state], epoch: 2 })
    expect(await finished(after)).toEqual(['safe'])
  })

  it('is durable before the acknowledgement too where a file had rolled and settled long ago', async () => {
    const files = new SimulatedFileSystem()
    const running = await openSink(FileSink.forLines('/out', { rolling: { maxPartSize: 4 } }), { files })
    await running.write('safe')
    for (let turn = 0; turn < 20; turn++) await new Promise((settle) => setImmediate(settle))
    const state = await running.checkpoint(1)
    const after = files.crash({ random: seededRandom(1), model: 'posix' })
    await openSink(lines(), { files: after, restored: [state], epoch: 2 })
    expect(await finished(after)).toEqual(['safe'])
  })

  it('names what becomes visible in its committable: pending and final name, length and SHA-256', async () => {
    const writer = await lines().createWriter({
      ...(await openSink(lines())).harness.context.task,
      environment: (await openSink(lines())).harness.context,
    })
    await writer.write('abc')
    writer.flush()
    expect(await writer.prepareCommit()).toEqual([
      {
        pending: `.part-0-0.txt.${'a'.repeat(32)}-1-0.pending`,
        final: 'part-0-0.txt',
        length: 4,
        sha256: 'edeaaff3f1774ad2888673770c6d64097e391bc362d7d6fb34982ddf0efd18cb',
      },
    ])
  })

  it('takes no number that union state or the directory has: of any subtask, any job, any older savepoint', async () => {
    const files = new SimulatedFileSystem()
    await writeFile(files, '/out/part-3-7.txt', 'of another job')
    const first = await openSink(lines(), { files, subtask: 1, parallelism: 2 })
    await first.write('a')
    const states = [await first.checkpoint(1)]
    expect((await names(files))[0]).toContain('.part-1-8.txt.')
    const rescaled = await openSink(lines(), { files, restored: states, attempt: 1 })
    await rescaled.write('b')
    await rescaled.checkpoint(2)
    expect((await names(files)).some((name) => name.startsWith('.part-0-9.txt.'))).toBe(true)
  })

  it('takes no number again when somebody has carried the finished files away', async () => {
    const files = new SimulatedFileSystem()
    const running = await openSink(lines(), { files, subtask: 1, parallelism: 2 })
    await running.write('a')
    await running.checkpoint(1)
    await running.complete(1)
    const states = [undefined, await running.checkpoint(2)]
    await files.execute([{ type: 'unlink', path: '/out/part-1-0.txt' }])
    const again = await openSink(lines(), { files, restored: states, attempt: 1 })
    await again.write('b')
    await again.checkpoint(3)
    await again.complete(3)
    expect(await names(files)).toEqual(['part-0-1.txt'])
  })

  it('of the same job and directory shares the numbers with a second sink', async () => {
    const files = new SimulatedFileSystem()
    const [one, other] = [await openSink(lines(), { files }), await openSink(lines(), { files })]
    await one.write('a')
    await one.checkpoint(1)
    await other.write('b')
    await other.checkpoint(1)
    await other.complete(1)
    await one.complete(1)
    expect([...(await finished(files))].sort()).toEqual(['a', 'b'])
  })

  it('sweeps in-progress files of its dead attempts alone', () => {
    const job = 'a'.repeat(32)
    const owner = { jobId: job, epoch: 2, attempt: 1, subtask: 0 }
    const dead = [
      `.part-0-1.txt.${job}-2-0.inprogress`,
      `.part-0-2.txt.${job}-1-9.inprogress`,
      `.part-5-2.txt.${job}-1-0.inprogress`,
    ]
    const living = [
      `.part-0-1.txt.${job}-2-0.pending`,
      `.part-0-3.txt.${job}-2-1.inprogress`,
      `.part-0-3.txt.${job}-3-0.inprogress`,
      `.part-1-3.txt.${job}-1-0.inprogress`,
      `.part-0-3.txt.${'b'.repeat(32)}-1-0.inprogress`,
      'part-0-0.txt',
      '.part-0-1.txt.inprogress',
    ]
    expect(deadInProgress([...dead, ...living], owner, 2)).toEqual(dead)
  })

  it('leaves nothing of a dead attempt but what a checkpoint may know of', async () => {
    const files = new SimulatedFileSystem()
    const sink = () => FileSink.forLines('/out', { rolling: { maxPartSize: 4 } })
    const running = await openSink(sink(), { files })
    await running.write('known')
    const state = await running.checkpoint(1)
    await running.write('rolled', 'rolled')
    const next = files.kill()
    await openSink(sink(), { files: next, restored: [state], epoch: 2 })
    expect(await names(next)).toEqual(['part-0-0.txt'])
  })

  it('removes what a closed attempt was writing', async () => {
    const files = new SimulatedFileSystem()
    const running = await openSink(lines(), { files })
    await running.write('x'.repeat(100_000))
    await running.operator.close?.()
    expect(await names(files)).toEqual([])
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'fails the task, and loses nothing, when the disk refuses: operation %i',
    async (nth) => {
      const files = new SimulatedFileSystem()
      const running = await openSink(lines(), { files })
      const before = await running.checkpoint(1)
      let operation = 0
      files.interfere = () => (++operation === nth ? { type: 'fail', code: 'ENOSPC' } : undefined)
      const attempt = async () => {
        await running.write('a')
        await running.checkpoint(2)
      }
      const outcome = await attempt().then(
        () => 'went well',
        (cause: { code?: string }) => cause.code,
      )
      files.interfere = undefined
      // The close of the file and the two looks at taken names come among them; every one of them counts.
      expect(outcome).toBe('FILE_ERROR')
      await running.operator.close?.()
      const again = await openSink(lines(), { files, restored: [before], attempt: 1 })
      await again.write('a')
      await again.checkpoint(3)
      await again.complete(3)
      expect(await finished(files)).toEqual(['a'])
    },
  )
})

describe('the files and folders that a file sink opens', () => {
  it.each([
    ['write', 'a checkpoint'],
    ['sync', 'a checkpoint'],
    ['rename', 'a checkpoint'],
    ['sync', 'a file that rolls'],
    ['stat', 'a checkpoint'],
    ['close', 'a checkpoint'],
  ])('are closed again when the disk refuses to %s in %s', async (type, when) => {
    const files = new SimulatedFileSystem()
    const running = await openSink(FileSink.forLines('/out', { rolling: { maxPartSize: 4 } }), { files })
    let opened = 0
    let closed = 0
    let refused = false
    files.interfere = (operation) => {
      if (operation.type === 'create') opened++
      if (operation.type === 'close') closed++
      if (operation.type !== type || refused) return undefined
      refused = true
      return { type: 'fail', code: 'ENOSPC' }
    }
    await running.write(when === 'a checkpoint' ? 'a' : 'rolls')
    await expect(running.checkpoint(1)).rejects.toMatchObject({ code: 'FILE_ERROR' })
    await running.operator.close?.()
    expect({ opened, closed }).toEqual({ opened: 1, closed: 1 })
  })

  it.each(['create', 'write'])(
    'fail the task, not the checkpoint alone, when the disk refuses to %s: its records are nowhere else',
    async (type) => {
      const files = new SimulatedFileSystem()
      const running = await openSink(lines(), { files })
      files.interfere = (operation) => (operation.type === type ? { type: 'fail', code: 'ENOSPC' } : undefined)
      await running.write('a')
      await expect(running.checkpoint(1)).rejects.toMatchObject({ code: 'FILE_ERROR' })
      for (let turn = 0; turn < 5; turn++) await new Promise((settle) => setImmediate(settle))
      expect(running.harness.failures[0]).toMatchObject({ code: 'FILE_ERROR' })
    },
  )

  it('fail the task too when the disk refused before the checkpoint', async () => {
    const files = new SimulatedFileSystem()
    const running = await openSink(lines(), { files })
    files.interfere = ({ type }) => (type === 'write' ? { type: 'fail', code: 'ENOSPC' } : undefined)
    await running.write('x'.repeat(70_000))
    for (let turn = 0; turn < 20; turn++) await new Promise((settle) => setImmediate(settle))
    await expect(running.checkpoint(1)).rejects.toMatchObject({ code: 'FILE_ERROR' })
    for (let turn = 0; turn < 5; turn++) await new Promise((settle) => setImmediate(settle))
    expect(running.harness.failures[0]).toMatchObject({ code: 'FILE_ERROR' })
  })

  it('are durable where a process died between making the folder and making it durable', async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const dying = new SimulatedFileSystem({
        interfere: ({ type, path }) => (type === 'syncFolder' && path === '/deep' ? { type: 'stop' } : undefined),
      })
      await Promise.race([openSink(FileSink.forLines('/deep/out'), { files: dying }), dying.stopped])
      const files = dying.kill()
      const running = await openSink(FileSink.forLines('/deep/out'), { files })
      await running.write('safe')
      const state = await running.checkpoint(1)
      const after = files.crash({ random: seededRandom(seed), model: 'posix' })
      await openSink(FileSink.forLines('/deep/out'), { files: after, restored: [state], epoch: 2 })
      const [name] = (await after.list('/deep/out')).map((entry) => entry.name)
      expect(name, `seed ${seed}`).toBe('part-0-0.txt')
    }
  })
})

describe('committing files', () => {
  async function preCommitted() {
    const files = new SimulatedFileSystem()
    const running = await openSink(lines(), { files })
    await running.write('a')
    const state = await running.checkpoint(4)
    return { files, running, state }
  }

  it('is harmless when it was committed before', async () => {
    const { files, running, state } = await preCommitted()
    await running.complete(4)
    await openSink(lines(), { files, restored: [state], attempt: 1 })
    expect(await names(files)).toEqual(['part-0-0.txt'])
  })

  it('never replaces: another file under the final name is an error', async () => {
    const { files, running } = await preCommitted()
    await writeFile(files, '/out/part-0-0.txt', 'b\n')
    await expect(running.complete(4)).rejects.toMatchObject({
      code: 'SINK_FILE_CONFLICT',
      message: expect.stringContaining('/out/part-0-0.txt'),
    })
    expect(await finished(files)).toEqual(['b'])
    expect((await names(files)).some((name) => name.endsWith('.pending'))).toBe(true)
  })

  it('names the checkpoint when neither file exists', async () => {
    const { files, running } = await preCommitted()
    const [pending] = await names(files)
    await files.execute([{ type: 'unlink', path: `/out/${pending}` }])
    await expect(running.complete(4)).rejects.toMatchObject({
      code: 'SINK_FILE_MISSING',
      message: expect.stringContaining('checkpoint 4'),
    })
  })

  it('refuses a pending file of another length', async () => {
    const { files, running } = await preCommitted()
    const [pending] = await names(files)
    files.disk.append(files.disk.file(`/out/${pending}`), Buffer.from('more'))
    await expect(running.complete(4)).rejects.toMatchObject({ code: 'SINK_FILE_CONFLICT' })
    expect(await finished(files)).toEqual([])
  })
})

describe('every record comes out exactly once', () => {
  const records = Array.from({ length: 12 }, (_, index) => `record ${index}`)

  interface Published {
    readonly state: Uint8Array | undefined
    readonly position: number
  }

  /** A job from the newest published checkpoint to its end: a checkpoint every 3 records, the last one commits the tail. */
  async function run(files: SimulatedFileSystem, published: Published[], options: SubtaskOptions): Promise<void> {
    const from = published.at(-1)
    const restored = from === undefined ? {} : { restored: [from.state] }
    const sink = FileSink.forLines('/out', { rolling: { maxPartSize: 20 } })
    const running = await openSink(sink, { files, ...options, ...restored })
    let id = 10 * (options.epoch ?? 1)
    for (let position = from?.position ?? 0; position < records.length; position++) {
      await running.write(records[position] as string)
      if (position % 3 !== 2) continue
      if (position + 1 === records.length) await running.operator.finish?.()
      const state = await running.checkpoint(++id)
      published.push({ state, position: position + 1 })
      // Every other notification is lost: the next one covers it.
      if (position % 6 === 5) await running.complete(id)
    }
    await running.operator.close?.()
  }

  async function operationsOfAWholeRun(): Promise<number> {
    const files = new SimulatedFileSystem()
    await run(files, [], {})
    expect(await finished(files)).toEqual(records)
    return files.operations
  }

  async function dieAt(operation: number): Promise<{ files: SimulatedFileSystem; published: Published[] }> {
    const published: Published[] = []
    const files = new SimulatedFileSystem({
      interfere: ({ index }) => (index === operation ? { type: 'stop' } : undefined),
    })
    await Promise.race([run(files, published, {}), files.stopped])
    return { files, published }
  }

  it('when the process dies before any one of its operations', async () => {
    const operations = await operationsOfAWholeRun()
    expect(operations).toBeGreaterThan(60)
    for (let operation = 1; operation <= operations; operation++) {
      const { files, published } = await dieAt(operation)
      const next = files.kill()
      await run(next, published, { epoch: 2 })
      expect([...(await finished(next))].sort(), `died at operation ${operation}`).toEqual([...records].sort())
      expect((await names(next)).filter((name) => name.endsWith('.inprogress'))).toEqual([])
    }
  })

  it.each(['posix', 'ordered'] as const)(
    'when the power fails before any one of its operations (%s)',
    async (model) => {
      const operations = await operationsOfAWholeRun()
      for (let operation = 1; operation <= operations; operation++) {
        const { files, published } = await dieAt(operation)
        for (let seed = 0; seed < 4; seed++) {
          const next = files.image({ random: seededRandom(operation * 10 + seed), model })
          await run(next, [...published], { epoch: 2 })
          expect([...(await finished(next))].sort(), `power failed at operation ${operation}, seed ${seed}`).toEqual(
            [...records].sort(),
          )
        }
      }
    },
  )

  it('when the recovery dies as well, at any operation', async () => {
    const { files, published } = await dieAt(45)
    const whole = files.image({ random: seededRandom(1), model: 'posix' })
    await run(whole, [...published], { epoch: 2 })
    for (let operation = 1; operation <= whole.operations; operation++) {
      const second = files.image({ random: seededRandom(1), model: 'posix' })
      const republished = [...published]
      second.interfere = ({ index }) => (index === operation ? { type: 'stop' } : undefined)
      await Promise.race([run(second, republished, { epoch: 2 }), second.stopped])
      const third = second.crash({ random: seededRandom(operation), model: 'posix' })
      await run(third, republished, { epoch: 3 })
      expect([...(await finished(third))].sort(), `died again at operation ${operation}`).toEqual([...records].sort())
    }
  })
})

describe('what a file sink writes', () => {
  it('is JSON, one value a line', async () => {
    const files = new SimulatedFileSystem()
    const running = await openSink(FileSink.forJsonLines<{ word: string; count: number }>('/out'), { files })
    await running.write({ word: 'a\nb', count: 2 })
    await running.checkpoint(1)
    await running.complete(1)
    expect(await names(files)).toEqual(['part-0-0.jsonl'])
    expect(await finished(files)).toEqual(['{"word":"a\\nb","count":2}'])
  })

  it.each([undefined, () => 1, 5n])('is refused where JSON has no text for it: %s', async (value) => {
    const running = await openSink(FileSink.forJsonLines<unknown>('/out'))
    await expect(running.write(value)).rejects.toMatchObject({ code: 'RECORD_NOT_WRITABLE' })
  })

  it('is refused in a sink of lines when half a character would come out as another one', async () => {
    const running = await openSink(lines())
    await expect(running.write('half \ud83d')).rejects.toMatchObject({ code: 'RECORD_NOT_WRITABLE' })
    await expect(running.write('whole \ud83d\ude00')).resolves.toBeUndefined()
  })

  it('is refused in a sink of lines when it is no text', async () => {
    const running = await openSink(lines())
    await expect(running.write(5 as unknown as string)).rejects.toMatchObject({ code: 'RECORD_NOT_WRITABLE' })
  })
})
