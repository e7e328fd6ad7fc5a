import { describe, expect, it } from 'vitest'
import { JOB } from './orders-ids.ts'
import { failure, ordersGraph, ordersJob } from './orders-job.ts'
import { ask } from './read-routes.ts'

const AT = `/jobs/${JOB}/exceptions`

interface Shown {
  readonly timestamp: number
}

const history = async (query = '', failures = ordersGraph().failures) =>
  (await ask(`${AT}${query}`, { jobs: [ordersJob(ordersGraph({ failures }))] })).body.exceptionHistory

const times = async (query: string) => (await history(query)).entries.map(({ timestamp }: Shown) => timestamp)

describe('The failures of a job', () => {
  it('are listed newest first, each with its task and attempt', async () => {
    const { entries, truncated } = await history()
    expect(truncated).toBe(false)
    expect(entries[0]).toEqual({
      ...{ exceptionName: 'RangeError', stacktrace: 'RangeError: order', timestamp: 603_000 },
      ...{ taskName: 'Totals (1/2) - execution #1', endpoint: 'localhost:4711', taskManagerId: 'ab'.repeat(16) },
      ...{ failureLabels: { operator: 'Totals' }, concurrentExceptions: [] },
    })
    expect(entries[1].taskName).toBe('Totals (1/2) - execution #0')
  })

  it('may be no task’s', async () => {
    const { entries } = await history('', [{ ...failure(2, 700_000), task: null }])
    expect(entries[0]).toMatchObject({ exceptionName: 'RangeError', failureLabels: {} })
    for (const key of ['taskName', 'endpoint', 'taskManagerId']) expect(entries[0]).not.toHaveProperty(key)
  })

  it('have those beside them that came meanwhile', async () => {
    const { entries } = await history('', [failure(2, 700_000, [failure(1, 700_001)])])
    expect(entries[0].concurrentExceptions).toMatchObject([
      { taskName: 'Totals (1/2) - execution #1', timestamp: 700_001 },
    ])
    expect(entries[0].concurrentExceptions[0]).not.toHaveProperty('concurrentExceptions')
  })

  it('are as many as was asked for, 20 where nobody asked', async () => {
    expect(await history('?maxExceptions=1')).toMatchObject({ truncated: true, entries: [{ timestamp: 603_000 }] })
    const many = Array.from({ length: 21 }, (_, i) => failure(i, 700_000 - i))
    const all = await history('', many)
    expect([all.entries.length, all.truncated]).toEqual([20, true])
    expect((await history('?maxExceptions=21', many)).truncated).toBe(false)
  })

  it('are those with all labels that were asked for', async () => {
    expect(await times('?failureLabelFilter=operator:Totals')).toEqual([603_000, 503_000])
    expect(await times('?failureLabelFilter=operator:Source')).toEqual([])
    expect(await times('?failureLabelFilter=operator:Totals,type:USER')).toEqual([])
    expect(await times('?failureLabelFilter=constructor:x')).toEqual([])
  })

  it.each(['operator', ':Totals', 'operator:'])('cannot be asked for by the label %j', async (pair) => {
    const answer = await ask(`${AT}?failureLabelFilter=${pair}`)
    expect(answer.status).toBe(400)
    expect(answer.body.errors[0]).toContain(`Cannot resolve query parameter (failureLabelFilter) from value "${pair}".`)
  })

  it.each(['-1', '1.5', '1e3', ' '])('cannot be counted by %j', async (count) => {
    expect((await ask(`${AT}?maxExceptions=${encodeURIComponent(count)}`)).status).toBe(400)
  })
})

describe('A refusal', () => {
  it('does not send back a long value whole', async () => {
    const answer = await ask(`/jobs/${'a'.repeat(50_000)}!`)
    expect(answer.status).toBe(400)
    expect(answer.body.errors[0].length).toBeLessThan(1_000)
  })
})
