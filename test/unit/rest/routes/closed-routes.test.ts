import { describe, expect, it } from 'vitest'
import { recordings } from '../../../fixtures/flink-rest/recordings.ts'
import { JOB, OUT, SOURCE, TOTALS } from './orders-ids.ts'
import { ask } from './read-routes.ts'

const AT = `/jobs/${JOB}/resource-requirements`
const ONE = { parallelism: { lowerBound: 1, upperBound: 1 } }

describe('A change of parallelism while the job runs', () => {
  const put = (body: unknown) => ask(AT, { method: 'PUT', body })

  it('is refused, as by Flink’s default scheduler', async () => {
    const answer = await put({ [SOURCE]: ONE, [TOTALS]: ONE, [OUT.toUpperCase()]: ONE })
    expect(answer.status).toBe(500)
    expect(answer.body.errors[1]).toContain('UnsupportedOperationException: The DefaultScheduler does not support')
  })

  it('is refused with each vertex that it does not name', async () => {
    const recorded = recordings('errors')['rescale-default-scheduler']
    const answer = await put(recorded?.sent)
    expect(answer.status).toBe(recorded?.status)
    const lines = (text: string) =>
      text
        .trim()
        .replace(/^.*?: /, '')
        .split('\n')
        .sort()
    const { errors } = (recorded?.body ?? {}) as { readonly errors: readonly [string] }
    expect(lines(answer.body.errors[0])).toEqual(lines(errors[0]))
  })

  it.each([
    [undefined],
    [[]],
    ['text'],
    [{ xyz: ONE }],
    [{ [TOTALS]: 1 }],
    [{ [TOTALS]: { parallelism: { lowerBound: '1' } } }],
  ])('is refused where it is none: %j', async (body) => {
    const answer = await put(body)
    expect(answer.status).toBe(400)
    expect(answer.body.errors[0]).toContain('did not match expected format JobResourceRequirementsBody.')
  })

  it('is refused where it names nothing', async () => {
    expect((await put({})).body.errors[0]).toContain('Request body does not specify resource requirements.')
  })
})

describe('Jar files', () => {
  it('are none', async () => {
    expect((await ask('/jars')).body).toEqual({ address: '.', files: [] })
  })

  it.each([
    ['POST', '/jars/upload'],
    ['DELETE', '/jars/a.jar'],
    ['GET', '/jars/a.jar/plan'],
    ['POST', '/jars/a.jar/plan'],
    ['POST', '/jars/a.jar/run'],
    ['POST', '/jars/a.jar/run-application'],
  ] as const)('cannot be handled: %s %s', async (method, path) => {
    const answer = await ask(path, { method })
    expect(answer.status).toBe(501)
    expect(answer.body.errors[0]).toContain('takes no jar files')
  })
})

describe('Data sets', () => {
  it('are none, and none is being deleted', async () => {
    expect((await ask('/datasets')).body).toEqual({ dataSets: [] })
    expect((await ask(`/datasets/delete/${JOB}`)).status).toBe(404)
  })
})
