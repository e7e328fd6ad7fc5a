import { describe, expect, test } from 'vitest'
import { StreamError } from '../../../../src/base/errors.ts'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import { causes } from '../../../../src/runtime/control/causes.ts'
import { hostTask, type TaskDeps } from '../../../../src/runtime/control/task.ts'

function taskThat(options: Partial<TaskDeps> = {}) {
  const log: string[] = []
  const note = (text: string) => () => void log.push(text)
  const kept = causes()
  const host = hostTask({
    id: 'job/count-3#7/task',
    task: 3,
    attempt: 7,
    finalCheckpoint: true,
    cancellationTimeoutMs: 180_000,
    clock: new VirtualClock(),
    causeOf: (thrown) => kept.of(thrown, 'USER_FUNCTION_FAILED'),
    reportState: ({ state, cause }) => void log.push(cause === null ? state : `${state} ${String(kept.thrown(cause))}`),
    deploy: note('deploy'),
    restoreState() {
      log.push('restore')
      return { finished: false }
    },
    openOperators: note('open'),
    commitRestored: note('commit restored'),
    processInFlight: note('process in flight'),
    run: note('run'),
    finishOperators: note('finish'),
    drainOutput: note('drain'),
    awaitFinalCheckpoint: note('await checkpoint'),
    endPartitions: ({ withEndOfData }) =>
      void log.push(withEndOfData ? 'end of data and partition' : 'end of partition'),
    closeOperators: note('close'),
    disposeOperators: note('dispose'),
    failed: (broken) => {
      throw broken
    },
    ...options,
  })
  host.start()
  host.send({ type: 'task.scheduled' })
  host.send({ type: 'deployment.started' })
  return { host, log }
}

const STARTED = [
  'SCHEDULED',
  'DEPLOYING',
  'deploy',
  'INITIALIZING',
  'restore',
  'open',
  'commit restored',
  'process in flight',
  'RUNNING',
  'run',
]

describe('a task', () => {
  test('restores, opens, commits what was left, runs; at the end finishes, waits for its checkpoint, closes', () => {
    const { host, log } = taskThat()
    expect(log).toEqual(STARTED)
    host.send({ type: 'data.ended', drained: true, savepoint: null })
    host.send({ type: 'checkpoint.committed', checkpointId: 3 })
    host.send({ type: 'checkpoint.snapshotted', checkpointId: 5 })
    host.send({ type: 'checkpoint.committed', checkpointId: 4 })
    expect(log.slice(STARTED.length)).toEqual(['finish', 'drain', 'await checkpoint'])
    host.send({ type: 'checkpoint.committed', checkpointId: 5 })
    expect(log.slice(STARTED.length + 3)).toEqual(['end of partition', 'close', 'FINISHED'])
  })

  test('without checkpoints ends as soon as its operators have finished', () => {
    const { host, log } = taskThat({ finalCheckpoint: false })
    host.send({ type: 'data.ended', drained: true, savepoint: null })
    expect(log.slice(STARTED.length)).toEqual(['finish', 'end of partition', 'close', 'FINISHED'])
  })

  test('that had finished before the checkpoint opens nothing and passes the end on', () => {
    const { log } = taskThat({ restoreState: () => ({ finished: true }) })
    expect(log.slice(4)).toEqual(['RUNNING', 'end of data and partition', 'close', 'FINISHED'])
  })

  test('stopped with a savepoint waits for that one, whether or not it takes other checkpoints, and then closes', () => {
    const ends: unknown[] = []
    for (const finalCheckpoint of [true, false]) {
      const { host, log } = taskThat({ finalCheckpoint, finishOperators: (end) => void ends.push(end.drained) })
      host.send({ type: 'data.ended', drained: false, savepoint: 5 })
      host.send({ type: 'checkpoint.snapshotted', checkpointId: 4 })
      host.send({ type: 'checkpoint.committed', checkpointId: 4 })
      host.send({ type: 'checkpoint.snapshotted', checkpointId: 5 })
      expect(log.slice(STARTED.length)).toEqual([])
      host.send({ type: 'checkpoint.committed', checkpointId: 5 })
      expect(log.slice(STARTED.length)).toEqual(['end of partition', 'close', 'FINISHED'])
    }
    expect(ends).toEqual([false, false])
  })

  test('that fails reports it with what was thrown, after its operators are disposed of', async () => {
    let disposed = () => {}
    const { host, log } = taskThat({
      disposeOperators: () =>
        new Promise((resolve) => {
          disposed = resolve
        }),
    })
    host.fail(new RangeError('boom'))
    expect(log.slice(STARTED.length)).toEqual([])
    disposed()
    await Promise.resolve()
    expect(log.slice(STARTED.length)).toEqual(['FAILED RangeError: boom'])
  })

  test.each([
    'deploy',
    'restoreState',
    'openOperators',
    'commitRestored',
    'processInFlight',
    'run',
    'finishOperators',
    'closeOperators',
  ] as const)('fails when %s throws', (step) => {
    const { host, log } = taskThat({
      finalCheckpoint: false,
      [step]: () => {
        throw new StreamError('STATE_CORRUPT', { message: step })
      },
    })
    host.send({ type: 'data.ended', drained: true, savepoint: null })
    expect(log.slice(-2)).toEqual(['dispose', `FAILED StreamError: ${step}`])
  })

  test('ends when disposing of it throws', () => {
    const { host, log } = taskThat({ disposeOperators: () => Promise.reject(new RangeError('no')) })
    host.send({ type: 'cancel.requested' })
    return Promise.resolve().then(() => expect(log.slice(-2)).toEqual(['CANCELING', 'CANCELED']))
  })
})
