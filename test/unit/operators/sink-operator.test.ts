import { describe, expect, it } from 'vitest'
import { defineSink } from '../../../src/connectors/define-sink/define-sink.ts'
import type { Serializer } from '../../../src/elements/serializer.ts'
import type { CommitRequest, Sink, StatefulSink, WriteContext } from '../../../src/operators/sink.ts'
import { sinkOperator } from '../../../src/operators/sink-operator.ts'
import { openSink, SubtaskHarness } from './subtask-harness.ts'

/** A transactional sink that notes all calls. */
function noting(options: { readonly commitFails?: () => boolean } = {}) {
  const calls: string[] = []
  let staged: string[] = []
  const sink: Sink<string> = {
    createWriter: () => {
      calls.push('create writer')
      return {
        write: (value: string) => void staged.push(value),
        flush: (endOfInput: boolean) => void calls.push(`flush ${endOfInput}`),
        prepareCommit: () => {
          const committable = staged.join('')
          calls.push(`prepare ${committable}`)
          staged = []
          return committable === '' ? [] : [committable]
        },
        close: () => void calls.push('close writer'),
      }
    },
    ...{
      createCommitter: () => ({
        commit: (requests: readonly CommitRequest<string>[]) => {
          for (const { committable, checkpointId } of requests) calls.push(`commit ${committable} of ${checkpointId}`)
          if (options.commitFails?.() === true) throw new Error('commit refused')
        },
        close: () => void calls.push('close committer'),
      }),
    },
  }
  return { sink, calls }
}

describe('a sink operator', () => {
  it('flushes and prepares before the barrier, commits on the completion, in order of checkpoints', async () => {
    const { sink, calls } = noting()
    const running = await openSink(sink)
    await running.write('a')
    await running.checkpoint(1)
    await running.write('b')
    await running.checkpoint(2)
    await running.write('c')
    await running.complete(2)
    await running.complete(1)
    expect(calls).toEqual([
      'create writer',
      'flush false',
      'prepare a',
      'flush false',
      'prepare b',
      'commit a of 1',
      'commit b of 2',
    ])
  })

  it('prepares without a turn of its own where the writer does not wait', async () => {
    const running = await openSink(noting().sink)
    expect(running.operator.prepareSnapshotPreBarrier?.(1)).toBeUndefined()
    expect(running.operator.snapshotState?.(1)).toBeUndefined()
  })

  it('keeps a committable in every snapshot until its commit has answered, and commits it again after a restore', async () => {
    const { sink, calls } = noting()
    const running = await openSink(sink)
    await running.write('a')
    await running.checkpoint(1)
    await running.write('b')
    const second = await running.checkpoint(2)
    await running.complete(2)
    const third = await running.checkpoint(3)
    calls.length = 0
    await openSink(sink, { restored: [second] })
    expect(calls).toEqual(['commit a of 1', 'commit b of 2', 'create writer'])
    calls.length = 0
    await openSink(sink, { restored: [third] })
    expect(calls).toEqual(['create writer'])
  })

  it('does not open when a restored committable cannot be committed', async () => {
    const { sink } = noting()
    const running = await openSink(sink)
    await running.write('a')
    const state = await running.checkpoint(1)
    await expect(openSink(noting({ commitFails: () => true }).sink, { restored: [state] })).rejects.toThrow(
      'commit refused',
    )
  })

  it('commits the end of the input with the final checkpoint, and nothing twice', async () => {
    const { sink, calls } = noting()
    const { operator, write, checkpoint, complete } = await openSink(sink)
    await write('a')
    await operator.finish?.()
    await operator.finish?.()
    await checkpoint(5)
    await complete(5)
    await checkpoint(6)
    await complete(6)
    expect(calls).toEqual(['create writer', 'flush true', 'prepare a', 'commit a of 5'])
  })

  it('commits at the end of the input when there are no checkpoints', async () => {
    const { sink, calls } = noting()
    const { operator, write } = await openSink(sink, { checkpointing: false })
    await write('a')
    await operator.finish?.()
    expect(calls.at(-1)).toMatch(/^commit a of/)
  })

  it('rejects the notification, with what the committer threw, when a commit fails', async () => {
    const { sink } = noting({ commitFails: () => true })
    const { write, checkpoint, complete } = await openSink(sink)
    await write('a')
    await checkpoint(1)
    await expect(complete(1)).rejects.toThrow('commit refused')
  })

  it('closes the gate while a write is pending, and only then', async () => {
    let settle = () => {}
    const harness = new SubtaskHarness()
    const writer = {
      write: (value: string) =>
        value === 'slow'
          ? new Promise<void>((done) => {
              settle = done
            })
          : undefined,
      flush() {},
      close() {},
    }
    const operator = sinkOperator<string>({ createWriter: () => writer })(harness.context)
    await operator.open?.()
    const input = operator.inputs[0] as { processElement(value: string, timestamp: number): void }
    input.processElement('quick', 1)
    expect(harness.gate.closed).toBe(0)
    input.processElement('slow', 1)
    expect(harness.gate.closed).toBe(1)
    settle()
    await harness.unpaused()
    expect(harness.gate.closed).toBe(0)
    expect(harness.counters.recordsIn).toBe(2)
  })

  it('shows the writer the timestamp and the watermark', async () => {
    const seen: unknown[] = []
    const harness = new SubtaskHarness()
    const write = (_: string, context: WriteContext) => void seen.push(context.timestamp(), context.currentWatermark())
    const operator = sinkOperator<string>({ createWriter: () => ({ write, flush() {}, close() {} }) })(harness.context)
    await operator.open?.()
    const input = operator.inputs[0] as (typeof operator.inputs)[0] & {
      processElement(value: string, timestamp: number): void
    }
    input.processElement('a', Number.NEGATIVE_INFINITY)
    input.processWatermark(7)
    input.processElement('b', 9)
    expect(seen).toEqual([undefined, Number.NEGATIVE_INFINITY, 9, 7])
  })

  it('gives the writer its state back: dealt out, or that of all subtasks; also one that took a promise to make', async () => {
    for (const [stateDistribution, expected] of [
      ['split', [['of 0'], ['of 1']]],
      [
        'union',
        [
          ['of 0', 'of 1'],
          ['of 0', 'of 1'],
        ],
      ],
    ] as const) {
      const restored: (readonly string[])[] = []
      const sink: StatefulSink<string, string> = {
        stateDistribution,
        createWriter: ({ subtask }) => ({
          write() {},
          flush() {},
          close() {},
          snapshotState: async () => [`of ${subtask}`],
        }),
        restoreWriter(context, states) {
          restored[context.subtask] = states
          return this.createWriter(context) as never
        },
      }
      const states = []
      for (const subtask of [0, 1]) states.push(await (await openSink(sink, { subtask, parallelism: 2 })).checkpoint(1))
      for (const subtask of [0, 1]) await openSink(sink, { subtask, parallelism: 2, restored: states })
      expect(restored).toEqual(expected)
    }
  })

  it('does not drop what a former sink left uncommitted: a sink that cannot commit refuses it', async () => {
    const before = await openSink(noting().sink)
    await before.write('a')
    const restored = [await before.checkpoint(1)]
    const plain = { createWriter: () => ({ write() {}, flush() {}, close() {} }) }
    await expect(openSink<string>(plain, { restored })).rejects.toMatchObject({ code: 'STATE_INCOMPATIBLE' })
    const nothingLeft = await openSink(noting().sink)
    await expect(openSink<string>(plain, { restored: [await nothingLeft.checkpoint(1)] })).resolves.toBeDefined()
  })

  it('reads a committable with the version of the serializer that wrote it, and refuses that of another one', async () => {
    const written = (id: string, version: number, seen: number[]): Serializer<string> => ({
      id,
      version,
      serialize: (text) => Buffer.from(text),
      deserialize: (bytes, from) => {
        seen.push(from)
        return Buffer.from(bytes).toString()
      },
    })
    const sinkWith = (committableSerializer: Serializer<string>) => ({ ...noting().sink, committableSerializer })
    const before = await openSink(sinkWith(written('grüße', 1, [])))
    await before.write('a')
    const restored = [await before.checkpoint(1)]
    const seen: number[] = []
    await openSink(sinkWith(written('grüße', 2, seen)), { restored })
    expect(seen).toEqual([1])
    await expect(openSink(sinkWith(written('other', 1, [])), { restored })).rejects.toMatchObject({
      code: 'STATE_INCOMPATIBLE',
      message: expect.stringMatching(/grüße.*other/),
    })
  })

  it('fails the task when what was handed over cannot be made durable', async () => {
    const writer = { write() {}, flush() {}, close() {}, makeDurable: () => Promise.reject(new Error('disk full')) }
    const running = await openSink<string>({ createWriter: () => writer })
    await expect(running.checkpoint(1)).rejects.toThrow('disk full')
    expect(running.harness.failures).toEqual([new Error('disk full')])
  })

  it('leaves it at the checkpoint when preparing failed and what was written before is safe', async () => {
    const writer = {
      write() {},
      flush: () => {
        throw new Error('not now')
      },
      close() {},
      makeDurable: () => Promise.resolve(),
    }
    const running = await openSink<string>({ createWriter: () => writer })
    await expect(running.checkpoint(1)).rejects.toThrow('not now')
    await new Promise((settle) => setImmediate(settle))
    expect(running.harness.failures).toEqual([])
  })

  it('closes writer and committer, whatever one of them throws', async () => {
    const { sink, calls } = noting()
    const { operator } = await openSink(sink)
    await operator.close?.()
    expect(calls.slice(-2)).toEqual(['close writer', 'close committer'])
  })
})

describe('defineSink', () => {
  it('makes an exactly-once sink of four functions', async () => {
    const visible: string[] = []
    const db = { staged: [] as string[], prepared: new Map<number, string[]>() }
    const sink = defineSink({
      open: () => db,
      write: (connection, row: string) => connection.staged.push(row),
      prepare: (connection) => {
        const id = connection.prepared.size
        connection.prepared.set(id, connection.staged.splice(0))
        return id
      },
      commit: (connection, ids) => {
        for (const id of ids) visible.push(...(connection.prepared.get(id) ?? []))
      },
    })
    const { write, checkpoint, complete } = await openSink<string>(sink)
    await write('a', 'b')
    await checkpoint(1)
    expect(visible).toEqual([])
    await complete(1)
    expect(visible).toEqual(['a', 'b'])
  })
})
