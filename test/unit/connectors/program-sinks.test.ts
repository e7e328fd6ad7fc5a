import { describe, expect, it } from 'vitest'
import { CollectSink } from '../../../src/connectors/collect/collect-sink.ts'
import { DiscardingSink } from '../../../src/connectors/discarding/discarding-sink.ts'
import { PrintSink } from '../../../src/connectors/print/print-sink.ts'
import { openSink } from '../operators/subtask-harness.ts'

describe('a collecting sink', () => {
  it('hands a record out only when the checkpoint that covers it is complete', async () => {
    const sink = new CollectSink<number>()
    const running = await openSink(sink)
    await running.write(1, 2)
    await running.checkpoint(1)
    await running.write(3)
    expect(sink.results()).toEqual([])
    await running.complete(1)
    expect(sink.results()).toEqual([1, 2])
  })

  it('hands nothing out twice when a checkpoint is committed again after a restore', async () => {
    const sink = new CollectSink<number>()
    const running = await openSink(sink)
    await running.write(1)
    await running.checkpoint(1)
    await running.write(2)
    const state = await running.checkpoint(2)
    await running.complete(1)
    const again = await openSink(sink, { restored: [state], attempt: 1 })
    expect(sink.results()).toEqual([1, 2])
    await again.write(3)
    await again.operator.finish?.()
    await again.checkpoint(3)
    await again.complete(3)
    expect(sink.results()).toEqual([1, 2, 3])
  })

  it('hands every batch out once, in whatever order the subtasks that share them behind a rescale commit them', async () => {
    const running = await openSink(new CollectSink<number>())
    await running.write(1)
    const first = await running.checkpoint(1)
    await running.write(2)
    const both = await running.checkpoint(2)
    await running.complete(1)
    const second = await running.checkpoint(3)
    const sink = new CollectSink<number>()
    for (const state of [second, first, second, both]) await openSink(sink, { restored: [state], attempt: 1 })
    expect(sink.results()).toEqual([2, 1])
  })

  it('hands records out at once without checkpoints', async () => {
    const sink = new CollectSink<number>()
    const running = await openSink(sink, { checkpointing: false })
    await running.write(1)
    expect(sink.results()).toEqual([1])
  })

  it('is iterated while the job runs, until its end, and throws what failed the job', async () => {
    const sink = new CollectSink<number>()
    const running = await openSink(sink, { checkpointing: false })
    const seen: number[] = []
    const iterating = (async () => {
      for await (const value of sink) seen.push(value)
    })()
    await running.write(1)
    await new Promise((settle) => setImmediate(settle))
    expect(seen).toEqual([1])
    await running.write(2)
    const cause = new Error('failed')
    sink.end(cause)
    await expect(iterating).rejects.toBe(cause)
    expect(seen).toEqual([1, 2])
    const ended = new CollectSink<number>()
    ended.end()
    for await (const value of ended) expect.unreachable(`got ${value}`)
  })
})

describe('a printing sink', () => {
  it('prints one line a record, with prefix and, where there are several, the subtask', async () => {
    const printed: string[] = []
    const target = { write: (text: string) => printed.push(text) > 0, once() {} }
    const alone = await openSink(new PrintSink(undefined, target))
    await alone.write('text', { a: [1, 2] }, 3)
    const named = await openSink(new PrintSink('out', target), { subtask: 1, parallelism: 2 })
    await named.write('x')
    expect(printed).toEqual(['text\n', '{ a: [ 1, 2 ] }\n', '3\n', 'out:2> x\n'])
  })

  it('waits when the output is full', async () => {
    let drained = () => {}
    const target = {
      write: () => false,
      once(_: 'drain', listener: () => void) {
        drained = listener
      },
    }
    const running = await openSink(new PrintSink(undefined, target))
    const written = running.write('x')
    await Promise.resolve()
    expect(running.harness.gate.closed).toBe(1)
    drained()
    await written
    expect(running.harness.gate.closed).toBe(0)
  })
})

describe('a discarding sink', () => {
  it('takes everything and keeps nothing', async () => {
    const running = await openSink(new DiscardingSink())
    await running.write(1, 'a')
    expect(running.harness.counters.recordsIn).toBe(2)
    expect(await running.checkpoint(1)).toBeInstanceOf(Uint8Array)
  })
})
