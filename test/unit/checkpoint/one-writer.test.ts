import { describe, expect, test } from 'vitest'
import { type Clock, systemClock } from '../../../src/base/clock.ts'
import type { FileSystem } from '../../../src/base/file-system.ts'
import { SimulatedFileSystem, type SimulatedOperation } from '../../../src/base/simulated-file-system.ts'
import { SimulatedLocks } from '../../../src/base/simulated-locks.ts'
import {
  codeOf,
  complete,
  discard,
  HERE,
  JOB_ID,
  OPERATOR,
  open,
  portsOn,
  prepare,
  realFolder,
  restored,
  stateOf,
  store,
} from './job-fixture.ts'

const DIRECTORY = '/data'
const turns = { next: (turn: () => void) => queueMicrotask(turn) }
const fixed = { fixedJobId: JOB_ID }
const resume = { ...fixed, resume: 'latest' as const }

function twoProcesses(clock: Clock = systemClock()) {
  const files = new SimulatedFileSystem({ turns })
  const locks = new SimulatedLocks()
  return {
    files,
    locks,
    ports: portsOn(files, { locks, clock }),
    otherPorts: portsOn(files.another(), { locks: locks.another(), clock }),
  }
}

/** Every timer fires in the next turn. */
const hastyClock: Clock = {
  ...systemClock(),
  setTimer(_, fired) {
    const immediate = setImmediate(fired)
    return { cancel: () => clearImmediate(immediate) }
  },
}

test('an owner that is alive, running or stopped: the second process is refused within 1 s, by pid and host', async () => {
  const { ports, otherPorts } = twoProcesses()
  await open(ports, DIRECTORY, fixed)
  const begunMs = performance.now()
  await expect(open(otherPorts, DIRECTORY, { ...resume, process: { ...HERE, pid: 42 } })).rejects.toMatchObject({
    code: 'JOB_IN_USE',
    message: expect.stringContaining('process 41 on host here'),
    details: { pid: 41, host: 'here' },
  })
  expect(performance.now() - begunMs).toBeLessThan(1000)
})

test('an owner that is dead is replaced at once', async () => {
  const { ports, otherPorts, locks } = twoProcesses()
  await complete(await open(ports, DIRECTORY, fixed), 1)
  locks.kill()
  const second = await open(otherPorts, DIRECTORY, resume)
  expect(second).toMatchObject({ epoch: 2, start: { kind: 'checkpoint', metadata: { checkpointId: 1 } } })
})

test.each([
  ['on another host', { ...HERE, host: 'there' }],
  ['in another container of the host', { ...HERE, namespace: 'net:[2]' }],
])('an owner %s is replaced only with takeover, even when its lock cannot be seen', async (_, process) => {
  const { ports, otherPorts, locks } = twoProcesses()
  await open(ports, DIRECTORY, { ...fixed, process })
  locks.kill()
  expect(await codeOf(open(otherPorts, DIRECTORY, resume))).toBe('JOB_IN_USE')
  expect(await codeOf(open(otherPorts, DIRECTORY, { ...resume, takeover: true }))).toBe('none')
})

test('after a clean end the next process starts without takeover, wherever it runs', async () => {
  const { ports, otherPorts } = twoProcesses()
  const first = await open(ports, DIRECTORY, fixed)
  await first.storage.close()
  expect(await codeOf(open(otherPorts, DIRECTORY, { ...resume, process: { ...HERE, host: 'there' } }))).toBe('none')
})

test('after a takeover the new owner is protected from a third process although the old one still lives', async () => {
  const { ports, otherPorts, files, locks } = twoProcesses()
  await open(ports, DIRECTORY, fixed)
  await open(otherPorts, DIRECTORY, { ...resume, takeover: true, process: { ...HERE, pid: 42 } })
  const third = portsOn(files.another(), { locks: locks.another() })
  await expect(open(third, DIRECTORY, resume)).rejects.toMatchObject({ details: { pid: 42 } })
  locks.kill()
  await expect(open(third, DIRECTORY, resume)).rejects.toMatchObject({ details: { pid: 42 } })
})

test('two processes that take over at the same time: one of them owns the job afterwards, the other is fenced or refused', async () => {
  for (let delay = 0; delay < 40; delay++) {
    const { ports, otherPorts, locks } = twoProcesses(hastyClock)
    await complete(await open(ports, DIRECTORY, fixed), 1)
    locks.kill()
    const one = open(ports, DIRECTORY, resume)
    for (let turn = 0; turn < delay; turn++) await Promise.resolve()
    const other = open(otherPorts, DIRECTORY, resume)
    const opened = (await Promise.allSettled([one, other])).flatMap((result) =>
      result.status === 'fulfilled' ? [result.value] : [],
    )
    const published = await Promise.all(opened.map((job) => codeOf(complete(job, job.nextCheckpointId))))
    expect(published.filter((code) => code === 'none')).toHaveLength(1)
  }
})

/** The disk of the zombie, which can be stopped before an operation and continued. */
function stoppable(files: FileSystem): {
  readonly port: FileSystem
  stopBefore(type: string): Promise<void>
  go(): void
} {
  let stopped = (): void => {}
  let go = (): void => {}
  let kind: string | undefined
  const hold = (type: string): Promise<void> | undefined => {
    if (type !== kind) return undefined
    kind = undefined
    stopped()
    return new Promise((resolve) => {
      go = resolve
    })
  }
  const port: FileSystem = {
    ...bound(files),
    async execute(operations) {
      for (const operation of operations) {
        await hold(operation.type)
        await files.execute([operation])
      }
    },
  }
  return {
    port,
    stopBefore: (type) => {
      kind = type
      return new Promise((resolve) => {
        stopped = resolve
      })
    },
    go: () => go(),
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

describe.each([
  ['a real disk', () => realFolder()],
  ['a simulated disk', () => ({ files: new SimulatedFileSystem({ turns }), directory: DIRECTORY })],
])('a zombie on %s', (_, make) => {
  test('stopped between its last check and the rename, replaced and continued: publish, state file, record and deletion are refused', async () => {
    const { files, directory } = make()
    const disk = stoppable(files)
    const locks = new SimulatedLocks()
    const zombie = await open(portsOn(disk.port, { locks }), directory, fixed)
    await complete(zombie, 1)
    const second = await prepare(zombie, 2)
    const third = await prepare(zombie, 3)

    const stopped = disk.stopBefore('rename')
    const publishing = codeOf(zombie.storage.publish(second))
    await stopped
    const heir = await open(portsOn(files, { locks: locks.another() }), directory, { ...resume, takeover: true })
    disk.go()

    expect(await publishing).toBe('JOB_FENCED')
    expect(await codeOf(zombie.storage.publish(third))).toBe('JOB_FENCED')
    expect(await codeOf(prepare(zombie, 4))).toBe('JOB_FENCED')
    expect(await codeOf(zombie.storage.writeRecord({ status: 'RUNNING' }))).toBe('JOB_FENCED')
    expect(await codeOf(discard(zombie, 1))).toBe('JOB_FENCED')
    expect(await codeOf(zombie.storage.publishSavepoint(`${directory}/sp`, { ...third, kind: 'savepoint' }))).toBe(
      'JOB_FENCED',
    )
    const large = zombie.storage
      .snapshotWriter()
      .open({ checkpointId: 5, operatorId: OPERATOR, subtask: 0, kind: 'keyed' })
    expect(await codeOf(appendLarge(large))).toBe('JOB_FENCED')
    await zombie.storage.close()

    expect(heir).toMatchObject({ epoch: 2, start: { metadata: { checkpointId: 1 } }, nextCheckpointId: 2 })
    expect(await restored(heir)).toEqual({ checkpointId: 1, ...stateOf(1) })
    expect(heir.storage.record()).toMatchObject({ epoch: 2, status: 'CREATED' })
    await complete(heir, 2)
    expect((await files.list(`${directory}/${JOB_ID}`)).map(({ name }) => name)).toEqual([
      'chk-1',
      'chk-2',
      'epoch-2',
      'job.json',
    ])
    expect(await files.stat(`${directory}/sp/savepoint`)).toBeUndefined()
  })

  test('a zombie that was writing a large state file when it was replaced learns it at the end', async () => {
    const { files, directory } = make()
    const locks = new SimulatedLocks()
    const zombie = await open(portsOn(files, { locks }), directory, fixed)
    const stream = zombie.storage
      .snapshotWriter()
      .open({ checkpointId: 1, operatorId: OPERATOR, subtask: 0, kind: 'keyed' })
    for (let i = 0; i < 6; i++) await stream.append(new Uint8Array(300_000))
    await open(portsOn(files, { locks: locks.another() }), directory, { ...resume, takeover: true })
    expect(await codeOf(stream.finish())).toBe('JOB_FENCED')
  })
})

async function appendLarge(stream: {
  append(bytes: Uint8Array): void | Promise<void>
  finish(): Promise<unknown>
}): Promise<void> {
  for (let i = 0; i < 8; i++) await stream.append(new Uint8Array(200_000))
  await stream.finish()
}

test('what was published just before the takeover is seen by the new owner', async () => {
  const files = new SimulatedFileSystem({ turns })
  const locks = new SimulatedLocks()
  const zombie = await open(portsOn(files, { locks }), DIRECTORY, fixed)
  const metadata = await prepare(zombie, 1)
  let go = (): void => {}
  const until = new Promise<void>((resolve) => {
    go = resolve
  })
  const held = new Promise<void>((resolve) => {
    files.interfere = (operation: SimulatedOperation) => {
      if (operation.type !== 'syncFolder' || operation.path !== `${DIRECTORY}/${JOB_ID}`) return undefined
      files.interfere = undefined
      resolve()
      return { type: 'hold', until }
    }
  })
  const publishing = zombie.storage.publish(metadata)
  await held
  const heir = await open(portsOn(files.another(), { locks: locks.another() }), DIRECTORY, {
    ...resume,
    takeover: true,
  })
  go()
  await publishing
  expect(heir.start).toMatchObject({ kind: 'checkpoint', metadata: { checkpointId: 1 } })
  expect(
    await codeOf(
      store(
        zombie.storage,
        { checkpointId: 2, operatorId: OPERATOR, subtask: 0, kind: 'keyed' },
        new Uint8Array(50_000),
      ),
    ),
  ).toBe('JOB_FENCED')
})

test('a newcomer that was overtaken while it made its epoch does not use that number a second time', async () => {
  const { files, ports, otherPorts } = twoProcesses(hastyClock)
  let go = (): void => {}
  const until = new Promise<void>((resolve) => {
    go = resolve
  })
  const held = new Promise<void>((resolve) => {
    files.interfere = ({ type, path }: SimulatedOperation) => {
      if (type !== 'makeFolder' || !path.includes('/new-')) return undefined
      files.interfere = undefined
      resolve()
      return { type: 'hold', until }
    }
  })
  const slow = open(ports, DIRECTORY, resume)
  await held
  const fast = await open(otherPorts, DIRECTORY, resume)
  await complete(fast, 1)
  await fast.storage.close()
  go()
  expect(fast.epoch).toBe(1)
  const opened = await slow
  expect(opened).toMatchObject({ epoch: 2, start: { kind: 'checkpoint', metadata: { checkpointId: 1, epoch: 1 } } })
})

test('an epoch number does not come again while somebody may still believe in it: a takeover that failed leaves its number behind', async () => {
  const { files, ports, otherPorts } = twoProcesses()
  let go = (): void => {}
  const until = new Promise<void>((resolve) => {
    go = resolve
  })
  const held = new Promise<void>((resolve) => {
    files.interfere = ({ path }: SimulatedOperation) => {
      if (!path.includes('/job.json.')) return undefined
      files.interfere = undefined
      resolve()
      return { type: 'hold', until }
    }
  })
  // It is the owner, and stands still in front of its first record: nothing else says that epoch 1 was ever given away.
  const zombie = open(ports, DIRECTORY, fixed)
  await held
  const failing = open(otherPorts, DIRECTORY, { ...fixed, takeover: true, fromSavepoint: '/nowhere' })
  expect(await codeOf(failing)).toBe('CHECKPOINT_MISSING')
  const heir = await open(otherPorts, DIRECTORY, fixed)
  go()

  expect(await codeOf(zombie)).toBe('JOB_FENCED')
  expect(heir.epoch).toBe(3)
  await complete(heir, 1)
  expect((await files.list(`${DIRECTORY}/${JOB_ID}`)).map(({ name }) => name)).toEqual(['chk-1', 'epoch-3', 'job.json'])
})
