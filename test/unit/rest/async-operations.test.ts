import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import { asyncOperations, type OperationKey } from '../../../src/rest/async-operations.ts'
import { RestFailure } from '../../../src/rest/route.ts'

const clock = () => new VirtualClock()
const key = (triggerId: string, kind: OperationKey['kind'] = 'savepoint', jobId = 'a'): OperationKey => ({
  kind,
  jobId,
  triggerId,
})
const told = async () => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
}

describe('an operation under a trigger id', () => {
  it('is in progress until its work has settled, and then has its result', async () => {
    const operations = asyncOperations({ clock: clock(), storeDurationMs: 1000 })
    let settle: (path: string) => void = () => {}
    operations.start(key('1'), () => new Promise((resolve) => (settle = resolve)))
    expect(operations.status(key('1'))).toEqual({ id: 'IN_PROGRESS' })
    settle('/sp')
    await told()
    expect(operations.status(key('1'))).toEqual({ id: 'COMPLETED', value: '/sp' })
  })

  it('has what its work threw, at once or later', async () => {
    const operations = asyncOperations({ clock: clock(), storeDurationMs: 1000 })
    operations.start(key('1'), () => {
      throw new Error('at once')
    })
    operations.start(key('2'), () => Promise.reject(new Error('later')))
    await told()
    expect(operations.status(key('1'))).toMatchObject({ id: 'FAILED', thrown: { message: 'at once' } })
    expect(operations.status(key('2'))).toMatchObject({ id: 'FAILED', thrown: { message: 'later' } })
  })

  it('is started once, however often it is triggered', async () => {
    const operations = asyncOperations({ clock: clock(), storeDurationMs: 1000 })
    let started = 0
    for (let time = 0; time < 3; time++) operations.start(key('1'), async () => ++started)
    await told()
    operations.start(key('1'), async () => ++started)
    expect(started).toBe(1)
    expect(operations.status(key('1'))).toEqual({ id: 'COMPLETED', value: 1 })
  })

  it('is not that of another job or kind', () => {
    const operations = asyncOperations({ clock: clock(), storeDurationMs: 1000 })
    operations.start(key('1'), async () => {})
    expect(operations.status(key('1', 'checkpoint'))).toBeUndefined()
    expect(operations.status(key('1', 'savepoint', 'b'))).toBeUndefined()
  })

  it('is forgotten when its result has been kept for the whole time, not since its start', async () => {
    const time = clock()
    const operations = asyncOperations({ clock: time, storeDurationMs: 1000 })
    let settle: () => void = () => {}
    operations.start(key('1'), () => new Promise<void>((resolve) => (settle = resolve)))
    time.advance(5000)
    settle()
    await told()
    time.advance(1000)
    expect(operations.status(key('1'))).toMatchObject({ id: 'COMPLETED' })
    time.advance(1)
    expect(operations.status(key('1'))).toBeUndefined()
  })

  it('is refused with 503 where a hundred are under way, until one of them has ended', async () => {
    const operations = asyncOperations({ clock: clock(), storeDurationMs: 1000 })
    let settle: () => void = () => {}
    for (let id = 0; id < 100; id++)
      operations.start(key(`${id}`), () => new Promise<void>((resolve) => (settle = resolve)))
    const another = () => operations.start(key('more'), async () => {})
    expect(another).toThrow(RestFailure)
    expect(another).toThrow(expect.objectContaining({ status: 503 }))
    settle()
    await told()
    expect(another).not.toThrow()
  })

  it('takes no more room than ten thousand results do', async () => {
    const operations = asyncOperations({ clock: clock(), storeDurationMs: 1e9 })
    for (let id = 0; id < 10_100; id++) {
      operations.start(key(`${id}`), async () => {})
      if (id % 50 === 0) await told()
    }
    await told()
    expect(operations.status(key('0'))).toBeUndefined()
    expect(operations.status(key('10099'))).toMatchObject({ id: 'COMPLETED' })
  })
})

describe('the end of a process that others have triggered operations in', () => {
  it('waits until every result was asked for', async () => {
    const operations = asyncOperations({ clock: clock(), storeDurationMs: 60_000 })
    let settle: () => void = () => {}
    operations.start(key('1'), async () => {})
    operations.start(key('2'), () => new Promise<void>((resolve) => (settle = resolve)))
    let over = false
    operations.delivered(10_000).then(() => {
      over = true
    })
    await told()
    operations.status(key('1'))
    operations.status(key('2'))
    await told()
    expect(over).toBe(false)
    settle()
    await told()
    expect(over).toBe(false)
    operations.status(key('2'))
    await told()
    expect(over).toBe(true)
  })

  it('waits no longer than it may', async () => {
    const time = clock()
    const operations = asyncOperations({ clock: time, storeDurationMs: 60_000 })
    operations.start(key('1'), async () => {})
    let over = false
    operations.delivered(10_000).then(() => {
      over = true
    })
    time.advance(9_999)
    await told()
    expect(over).toBe(false)
    time.advance(1)
    await told()
    expect(over).toBe(true)
  })

  it('does not wait for a result that nobody came for while it was there that long', async () => {
    const time = clock()
    const operations = asyncOperations({ clock: time, storeDurationMs: 60_000 })
    operations.start(key('detached'), async () => {})
    await told()
    time.advance(10_000)
    let over = false
    operations.delivered(10_000).then(() => {
      over = true
    })
    await told()
    expect(over).toBe(true)
  })

  it('does not wait a second time for whoever did not come, and does for who triggered meanwhile', async () => {
    const time = clock()
    const operations = asyncOperations({ clock: time, storeDurationMs: 60_000 })
    const wait = () => {
      let over = false
      operations.delivered(10_000).then(() => {
        over = true
      })
      return () => over
    }
    operations.start(key('1'), async () => {})
    await told()
    const first = wait()
    time.advance(5_000)
    operations.start(key('2'), async () => {})
    await told()
    time.advance(5_000)
    await told()
    expect(first()).toBe(true)
    const second = wait()
    await told()
    expect(second()).toBe(false)
    operations.status(key('2'))
    await told()
    expect(second()).toBe(true)
  })

  it('does not wait where nobody triggered anything, or may not wait, and leaves no timer', async () => {
    const time = clock()
    const operations = asyncOperations({ clock: time, storeDurationMs: 60_000 })
    await operations.delivered(10_000)
    operations.start(key('1'), async () => {})
    await operations.delivered(0)
    const waited = operations.delivered(10_000)
    await told()
    operations.status(key('1'))
    await waited
    expect(time.nextDeadlineMs()).toBeUndefined()
  })

  it('does not wait on when nobody can ask any more, and leaves no timer', async () => {
    const time = clock()
    const operations = asyncOperations({ clock: time, storeDurationMs: 60_000 })
    operations.start(key('1'), () => new Promise(() => {}))
    const waited = operations.delivered(10_000)
    operations.close()
    await waited
    expect(time.nextDeadlineMs()).toBeUndefined()
  })
})
