/** Secrets that were planted where secrets lie are found in no answer: S24 of docs/SECURITY-CHECKLIST.md. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MiniCluster } from '../../../../src/testing/index.ts'
import { crawl, declareEvil } from './evil-job.ts'

/** Of the server, which asks for it in every request. */
const TOKEN = 'CANARY-token'
/** Options of other libraries, which people put beside ours; only the first is taken for one of ours. */
const PLANTED: object = {
  'rest.token-file': '/run/CANARY-file',
  'kafka.sasl.password': 'CANARY-password',
  'my.api-key': 'CANARY-key',
}

beforeEach(() => {
  process.env.MY_SECRET = 'CANARY-environment'
  process.argv.push('--password=CANARY-argument')
})
afterEach(() => {
  delete process.env.MY_SECRET
  process.argv.pop()
})

async function secretive(cluster: MiniCluster, failure: string) {
  const server = await cluster.rest({ token: TOKEN })
  const env = cluster.environment().configure({
    ...PLANTED,
    'execution.checkpointing.interval': 3_600_000,
    'execution.checkpointing.dir': '/cp',
    'restart-strategy.type': 'fixed-delay',
    'restart-strategy.fixed-delay.attempts': 1,
    'restart-strategy.fixed-delay.delay': 0,
  })
  declareEvil(cluster, env, { name: 'plain', failure })
  return { server, job: await env.executeAsync('with secrets', { rest: server }) }
}

describe('A secret', () => {
  it('is in no answer, whatever is asked of a job that has failed, and its place is shown', async () => {
    await using cluster = new MiniCluster()
    const { server, job } = await secretive(cluster, 'the ledger is closed')
    await expect(cluster.until(job.getJobExecutionResult())).rejects.toMatchObject({ code: 'JOB_FAILED' })
    const pages = await crawl(server, job.jobId, TOKEN)
    expect(pages.filter(({ status }) => status === 200).length).toBeGreaterThan(60)
    expect(pages.filter(({ status, text }) => status === 401 || text.includes('see the log'))).toEqual([])
    expect(pages.filter(({ text }) => text.includes('CANARY')).map(({ path }) => path)).toEqual([])
    const textOf = (path: string) => pages.find((page) => page.path === path)?.text
    expect(textOf(`/jobs/${job.jobId}/config`)).toContain('"rest.token-file":"******"')
    expect(textOf(`/jobs/${job.jobId}/exceptions`)).toContain('the ledger is closed')
    expect(textOf('/jobmanager/log')).toContain('kafka.sasl.password')
  })
})
