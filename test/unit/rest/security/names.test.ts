/** Names and messages that mean something to a browser, a terminal, a log or a program: S14, S22 and S23 of docs/SECURITY-CHECKLIST.md. */
import parsePrometheus from 'parse-prometheus-text-format'
import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import { makeLogRing } from '../../../../src/rest/log-ring.ts'
import { MiniCluster } from '../../../../src/testing/index.ts'
import { crawl, declareEvil, EVIL } from './evil-job.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

describe('A job that is called what nobody should be called', () => {
  it('is shown under its names as JSON, in a log of one line for each message, and in metrics that can be read', async () => {
    await using cluster = new MiniCluster()
    const server = await cluster.rest()
    const env = cluster.environment().configure({
      'restart-strategy.type': 'fixed-delay',
      'restart-strategy.fixed-delay.attempts': 1,
      'restart-strategy.fixed-delay.delay': 3_600_000,
      'execution.checkpointing.interval': 3_600_000,
    })
    declareEvil(cluster, env, { failure: EVIL })
    const job = await env.executeAsync(EVIL, { rest: server })
    const restarting = new Promise<void>((resolve) => {
      void (async () => {
        for await (const event of job.events()) if (event.type === 'restart.scheduled') resolve()
      })()
    })
    await cluster.until(restarting)
    const pages = await crawl(server, job.jobId)
    expect(await job.getJobStatus()).toBe('RESTARTING')
    const textOf = (path: string) => pages.find((page) => page.path === path)?.text ?? ''

    expect(JSON.parse(textOf('/jobs/overview')).jobs).toMatchObject([{ name: EVIL, state: 'RESTARTING' }])
    expect(JSON.parse(textOf(`/jobs/${job.jobId}/exceptions`)).exceptionHistory.entries[0].stacktrace).toContain(EVIL)
    const html = pages.filter(
      ({ text, contentType }) => text.includes('<img') && !contentType.startsWith('application/json'),
    )
    expect(html.map(({ path, contentType }) => `${path} ${contentType}`)).toEqual(
      html.map(({ path }) => `${path} text/plain`),
    )
    const log = textOf('/jobmanager/log')
    expect(log).toContain('\\x1b[2J\\u{2028}\\u{202e}')
    expect(log).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u)
    expect(parsePrometheus(textOf('/metrics/prometheus')).length).toBeGreaterThan(20)
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
  })

  it('is found by no key that every object inherits', async () => {
    await using cluster = new MiniCluster()
    const server = await cluster.rest()
    const env = cluster.environment()
    declareEvil(cluster, env, { name: '__proto__', failure: 'no' })
    const job = await env.executeAsync('constructor', { rest: server })
    const failed = job.getJobExecutionResult()
    await expect(cluster.until(failed)).rejects.toMatchObject({ code: 'JOB_FAILED' })
    const get = async (path: string): Promise<unknown> => (await fetch(`${server.url}${path}`)).json()
    const found = async (label: string) => {
      const answer = await get(`/jobs/${job.jobId}/exceptions?failureLabelFilter=${label}`)
      return (answer as { readonly exceptionHistory: { readonly entries: readonly unknown[] } }).exceptionHistory
        .entries
    }
    expect(await found('operator:__proto__')).toHaveLength(1)
    for (const label of ['__proto__:x', 'constructor:x', 'toString:x', 'operator:toString'])
      expect(await found(label)).toEqual([])
    expect(await get(`/jobs/${job.jobId}/metrics?get=__proto__,constructor,toString`)).toEqual([])
  })
})

describe('A line of the log that is shown', () => {
  it('is one line, whatever the message is', () => {
    const ring = makeLogRing(new VirtualClock())
    ring.through(silent).warn(`a\r\nb\u001b[31m\u0085\u2028\u2029\u202e\u2066\ud83d\ude00é`)
    expect(ring.text()).toBe(
      '1970-01-01T00:00:00.000Z WARN  a\\x0d\\nb\\x1b[31m\\x85\\u{2028}\\u{2029}\\u{202e}\\u{2066}\ud83d\ude00é\n',
    )
  })
})
