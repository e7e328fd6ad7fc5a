import { describe, expect, it } from 'vitest'
import { SimulatedFileSystem } from '../../../../src/base/simulated-file-system.ts'
import { fileCommittableSerializer } from '../../../../src/connectors/file-sink/file-committable.ts'
import { defaultSerializer } from '../../../../src/elements/serializer.ts'
import { FileSink } from '../../../../src/index.ts'
import { framed, unframed } from '../../../../src/operators/framed.ts'
import { openSink } from '../../operators/subtask-harness.ts'
import { FOLDER, filesBelow, finishedLines } from './folder-contents.ts'

/** A sink as the one that knew no buckets: its committables went through the default serializer. */
function former(): FileSink<string> {
  const sink = FileSink.forLines(FOLDER)
  Object.defineProperty(sink, 'committableSerializer', { value: undefined })
  return sink
}

describe('A checkpoint of a file sink that knew no buckets', () => {
  it('is restored: what was pending is committed, and no number is used again', async () => {
    const files = new SimulatedFileSystem()
    const before = await openSink(former(), { files })
    await before.write('a')
    const state = await before.checkpoint(1)
    const sink = FileSink.forLines(FOLDER, { bucketAssigner: (value) => value })
    const after = await openSink(sink, { files, restored: [state], epoch: 2 })
    await after.write('b')
    await after.checkpoint(2)
    await after.complete(2)
    expect(await filesBelow(files)).toEqual(['b/part-0-1.txt', 'part-0-0.txt'])
    expect(Object.fromEntries(await finishedLines(files))).toEqual({ '': ['a'], b: ['b'] })
  })

  it('is all that such a sink can read: it refuses a newer one, because it would not make folders durable', async () => {
    const files = new SimulatedFileSystem()
    const before = await openSink(FileSink.forLines(FOLDER), { files })
    await before.write('a')
    const state = await before.checkpoint(1)
    await expect(openSink(former(), { files, restored: [state], epoch: 2 })).rejects.toMatchObject({
      code: 'STATE_INCOMPATIBLE',
    })
  })
})

describe('A committable of a file sink', () => {
  const committable = { pending: 'a/.part-0-0.x.pending', final: 'a/part-0-0', length: 5, sha256: 'f'.repeat(64) }

  it('comes back from a checkpoint of either version', () => {
    for (const serializer of [defaultSerializer<typeof committable>(), fileCommittableSerializer])
      expect(unframed(fileCommittableSerializer, framed(serializer, committable), 'it')).toEqual(committable)
  })

  it('is refused when its bytes are damaged', () => {
    const bytes = framed(fileCommittableSerializer, committable)
    expect(() => unframed(fileCommittableSerializer, bytes.subarray(0, -1), 'it')).toThrowError(
      expect.objectContaining({ code: 'STATE_CORRUPT' }),
    )
  })
})
