/** The job's side of a source, with enumerators that do what their types allow. */
import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../../src/base/logger.ts'
import { SimulatedFileSystem } from '../../../src/base/simulated-file-system.ts'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import { defaultSerializer } from '../../../src/elements/serializer.ts'
import { unframed } from '../../../src/operators/framed.ts'
import type { Source, SplitEnumerator, SplitEnumeratorContext } from '../../../src/operators/source.ts'
import { SourceCoordinator, type SourceEvent } from '../../../src/runtime/source-coordinator.ts'

interface Split {
  readonly id: string
}

function coordinate(make: (context: SplitEnumeratorContext<Split>) => Partial<SplitEnumerator<Split, unknown>>) {
  const clock = new VirtualClock()
  const sent: SourceEvent[] = []
  const failures: unknown[] = []
  const backlogs: boolean[] = []
  const source = {
    createEnumerator: (context: SplitEnumeratorContext<Split>) => ({
      start() {},
      handleSplitRequest() {},
      addSplitsBack() {},
      addReader() {},
      snapshotState: () => undefined,
      close() {},
      ...make(context),
    }),
  } as unknown as Source<unknown>
  const coordinator = new SourceCoordinator({
    source,
    operatorName: 'source',
    parallelism: 1,
    environment: { clock, files: new SimulatedFileSystem(), logger: silentLogger },
    restored: undefined,
    send: (_, event) => void sent.push(event),
    backlogChanged: (backlog) => void backlogs.push(backlog),
    fail: (cause) => void failures.push(cause),
  })
  return { coordinator, clock, sent, failures, backlogs }
}

const splits = (count: number): Split[] => Array.from({ length: count }, (_, index) => ({ id: String(index) }))

describe('A source coordinator', () => {
  it('writes the state as it was when the snapshot was asked for, also one that the enumerator goes on working with', async () => {
    const unassigned: Split[] = [{ id: 'a' }, { id: 'b' }]
    const { coordinator, sent } = coordinate((context) => ({
      handleSplitRequest: (subtask) => context.assignSplits(subtask, unassigned.splice(0, 1)),
      snapshotState: () => unassigned,
    }))
    await coordinator.start()
    coordinator.readerRegistered(0)
    const snapshot = coordinator.snapshot(1)
    coordinator.splitRequested(0)
    expect(unframed(defaultSerializer<unknown>(), await snapshot, 'the test')).toEqual([{ id: 'a' }, { id: 'b' }])
    expect(sent).toEqual([])
    coordinator.triggered(1)
    expect(sent.map(({ type }) => type)).toEqual(['addSplits'])
  })

  it.each(['handleSplitRequest', 'addReader', 'notifyCheckpointComplete'] as const)(
    'fails the job when an asynchronous %s rejects',
    async (method) => {
      const down = new Error('down')
      const { coordinator, failures } = coordinate(() => ({ [method]: async () => Promise.reject(down) }))
      await coordinator.start()
      coordinator.readerRegistered(0)
      coordinator.splitRequested(0)
      coordinator.notifyCheckpointComplete(1)
      await new Promise((resolve) => void setImmediate(resolve))
      expect(failures).toEqual([down])
    },
  )

  it('sends what was held back a few splits at a time, and all of it in front of the next checkpoint', async () => {
    const { coordinator, clock, sent } = coordinate((context) => ({
      handleSplitRequest: (subtask) => context.assignSplits(subtask, splits(100)),
    }))
    const counted = () => sent.map((event) => (event.type === 'addSplits' ? event.splits.length : event.type))
    await coordinator.start()
    coordinator.readerRegistered(0)
    await coordinator.snapshot(1)
    for (let portion = 0; portion < 7; portion++) coordinator.splitRequested(0)
    expect(counted()).toEqual([])
    coordinator.triggered(1)
    expect(counted()).toEqual([100, 100])
    coordinator.splitRequested(0)
    expect(counted()).toEqual([100, 100])
    clock.runNext()
    expect(counted()).toEqual([100, 100, 100, 100])
    const snapshot = coordinator.snapshot(2)
    expect(counted()).toEqual(new Array(8).fill(100))
    await snapshot
    coordinator.splitRequested(0)
    clock.runNext()
    expect(counted()).toEqual(new Array(8).fill(100))
    coordinator.triggered(2)
    expect(counted()).toEqual(new Array(9).fill(100))
    expect(clock.nextDeadlineMs()).toBeUndefined()
  })

  it('sends nothing of what was held back once it is closed', async () => {
    const { coordinator, clock, sent } = coordinate((context) => ({
      handleSplitRequest: (subtask) => context.assignSplits(subtask, splits(300)),
    }))
    await coordinator.start()
    coordinator.readerRegistered(0)
    await coordinator.snapshot(1)
    for (let portion = 0; portion < 3; portion++) coordinator.splitRequested(0)
    coordinator.triggered(1)
    await coordinator.close()
    expect([sent.length, clock.nextDeadlineMs()]).toEqual([1, undefined])
  })

  it('starts no timer for an enumerator whose start goes on behind its end', async () => {
    const { coordinator, clock } = coordinate((context) => ({
      start: async () => {
        await Promise.resolve()
        context.callPeriodically(
          async () => {},
          () => {},
          50,
          50,
        )
      },
    }))
    const started = coordinator.start()
    await coordinator.close()
    await started
    expect(clock.nextDeadlineMs()).toBeUndefined()
  })

  it('passes a backlog on when it changes, has none when it is closed, and hears nothing from then on', async () => {
    let say = (_: boolean) => {}
    const { coordinator, backlogs } = coordinate((context) => {
      say = context.setIsProcessingBacklog
      return {}
    })
    await coordinator.start()
    say(false)
    for (const backlog of [true, true, false, true]) say(backlog)
    await coordinator.close()
    say(true)
    expect(backlogs).toEqual([true, false, true, false])
  })
})
