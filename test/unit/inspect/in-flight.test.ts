/** `millrace inspect` over a checkpoint that holds records in flight. */
import { describe, expect, test } from 'vitest'
import type { Serializer } from '../../../src/elements/serializer.ts'
import { NO_TIMESTAMP } from '../../../src/elements/stream-element.ts'
import { ChannelStateWriter } from '../../../src/state/channel-state-writer.ts'
import type { InFlightEdge, StoredChannels } from '../../../src/state/snapshot.ts'
import { JOB_ID, OPERATOR, OTHER_OPERATOR, open, portsOn, store } from '../checkpoint/job-fixture.ts'
import { DIRECTORY, memoryDisk, millrace } from './checkpoint-on-disk.ts'

const shouting: Serializer<unknown> = {
  id: 'shouting',
  version: 3,
  serialize: (value) => new TextEncoder().encode(String(value).toUpperCase()),
  deserialize: (bytes) => new TextDecoder().decode(bytes),
}

const MAIN = { from: OTHER_OPERATOR, input: 0, ordinal: 0 }
const LATE = { from: OTHER_OPERATOR, sideOutput: 'late', input: 1, ordinal: 0 }

/** Two subtasks: a record of either edge to the first, and two of the main output to the second. */
async function writeUnaligned(tell: (edges: readonly InFlightEdge[]) => readonly InFlightEdge[] = (edges) => edges) {
  const { files } = memoryDisk()
  const job = await open(portsOn(files), DIRECTORY, { fixedJobId: JOB_ID })
  const channelsOf = async (subtask: number): Promise<StoredChannels> => {
    const writer = new ChannelStateWriter()
    const main = writer.section({ edge: MAIN, partitioner: 'hash', sender: 1 }, undefined)
    const late = writer.section({ edge: LATE, partitioner: 'rebalance', sender: 0 }, shouting)
    main.append({ of: subtask }, NO_TIMESTAMP)
    if (subtask === 0) late.append('loud', 17)
    else main.append(10n, 18)
    const written = writer.finish()
    const bytes = Buffer.concat(written?.parts ?? [])
    writer.release()
    const identity = { checkpointId: 1, operatorId: OPERATOR, subtask, kind: 'channels' as const }
    return { handle: await store(job.storage, identity, bytes), edges: tell(written?.edges ?? []) }
  }
  const subtasks = await Promise.all(
    [0, 1].map(async (index) => ({ index, finished: false, channels: await channelsOf(index) })),
  )
  const of = { parallelism: 2, maxParallelism: 128 }
  const { path } = await job.storage.publish({
    jobId: job.jobId,
    jobName: 'wordcount',
    epoch: job.epoch,
    checkpointId: 1,
    kind: 'checkpoint',
    timestamp: 0,
    operators: [
      { ...of, operatorId: OTHER_OPERATOR, name: 'words', subtasks: [] },
      { ...of, operatorId: OPERATOR, name: 'count', subtasks },
    ],
  })
  return { files, path }
}

describe('A checkpoint with records in flight', () => {
  test('is told to be unaligned, and edge by edge how many there are', async () => {
    const { files, path } = await writeUnaligned()
    const { code, out } = await millrace(files, 'inspect', path, '--json')
    expect(code).toBe(0)
    const report = JSON.parse(out)
    expect(report.properties).toMatchObject({ is_unaligned: true, state_size: report.size.ownBytes })
    expect(report.operators.map(({ inFlight }: { inFlight: unknown }) => inFlight)).toEqual([
      [],
      [
        {
          from: OTHER_OPERATOR,
          sideOutput: null,
          input: 0,
          partitioner: 'hash',
          serializer: { id: 'millrace.value', version: 1 },
          records: 3,
          bytes: expect.any(Number),
          subtasks: 2,
        },
        {
          from: OTHER_OPERATOR,
          sideOutput: 'late',
          input: 1,
          partitioner: 'rebalance',
          serializer: { id: 'shouting', version: 3 },
          records: 1,
          bytes: 13,
          subtasks: 1,
        },
      ],
    ])
  })

  test('is told to people by the names of its operators', async () => {
    const { files, path } = await writeUnaligned()
    const { out } = await millrace(files, 'inspect', path)
    expect(out).toMatch(/is unaligned +true/)
    expect(out).toMatch(/in flight from +edge +input +records +bytes +subtasks +serializer\n +words +hash +0 +3 /)
    expect(out).toMatch(/words, side output late +rebalance +1 +1 +13 +1 +shouting 3/)
  })

  test('gives them record by record, those of a serializer of the user as bytes', async () => {
    const { files, path } = await writeUnaligned()
    const { code, out } = await millrace(files, 'inspect', path, '--state', 'count/inFlight')
    expect(code).toBe(0)
    const main = { from: OTHER_OPERATOR, input: 0, sender: 1 }
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { ...main, subtask: 0, index: 0, timestamp: null, value: { of: 0 } },
      {
        from: OTHER_OPERATOR,
        sideOutput: 'late',
        input: 1,
        sender: 0,
        subtask: 0,
        index: 0,
        timestamp: 17,
        value: { $serializer: 'shouting', version: 3, base64: Buffer.from('LOUD').toString('base64') },
      },
      { ...main, subtask: 1, index: 0, timestamp: null, value: { of: 1 } },
      { ...main, subtask: 1, index: 1, timestamp: 18, value: { $bigint: '10' } },
    ])
  })

  test('has no keys to ask for them by', async () => {
    const { files, path } = await writeUnaligned()
    const { code, err } = await millrace(files, 'inspect', path, '--state', 'inFlight', '--key', 'a')
    expect(code).not.toBe(0)
    expect(err).toContain('COMMAND_INVALID')
  })

  test('is refused when it holds others than its metadata says', async () => {
    const fewer = await writeUnaligned((edges) => edges.map((edge) => ({ ...edge, records: edge.records + 1 })))
    const { code, out } = await millrace(fewer.files, 'inspect', fewer.path, '--json')
    expect(code).not.toBe(0)
    expect(JSON.parse(out)).toMatchObject({ verified: false, error: { code: 'STATE_CORRUPT' } })
  })
})
