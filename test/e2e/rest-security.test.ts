/** The REST server of a real run, as a stranger on the machine meets it: S1, S6, S24 and S28 of docs/SECURITY-CHECKLIST.md. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { root, startMillrace, workFolder } from './processes.ts'

const work = workFolder()
const TOKEN = 'CANARY-token-0123456789abcdef'
const PAGES = ['/jobs/overview', '/jobmanager/config', '/jobmanager/environment', '/jobmanager/log', '/taskmanagers']
const MORE_PAGES = ['/metrics/prometheus', '/jobmanager/thread-dump', '/jobmanager/metrics', '/overview', '/config']

/** Of sockets that listen on this port: their addresses as Linux writes them. Undefined where nothing tells. */
function listeningOn(port: number): readonly string[] | undefined {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].filter((path) => existsSync(path))
  if (tables.length === 0) return undefined
  const rows = tables.flatMap((path) => readFileSync(path, 'utf8').split('\n'))
  return rows.flatMap((row) => {
    const [, , local = '', , state] = ` ${row.trim()}`.split(/\s+/)
    const [address = '', at] = local.split(':')
    return at === hex && state === '0A' ? [address] : []
  })
}

describe('The server of a run', () => {
  test('is reached from this machine with the token of a file, and shows nothing that is secret', async () => {
    const tokenFile = join(work, 'token')
    writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 })
    const options = [`rest.token-file=${tokenFile}`, 'my.password=CANARY-option']
    const run = startMillrace(
      [
        'run',
        '--port',
        '0',
        ...options.flatMap((option) => ['-D', option]),
        join(root, 'test/e2e/programs/silent-job.mjs'),
        '--password=CANARY-argument',
      ],
      { env: { MY_SECRET: 'CANARY-environment' } },
    )
    const url = await urlOf(run.process.stderr as Readable)
    const ask = (path: string, init: RequestInit = {}) =>
      fetch(`${url}${path}`, { ...init, headers: { authorization: `Bearer ${TOKEN}` } })

    expect(listeningOn(Number(new URL(url).port)) ?? ['0100007F']).toEqual(['0100007F'])
    expect((await fetch(`${url}/jobs`)).status).toBe(401)
    expect((await fetch(`${url}/jobs?token=${TOKEN}`)).status).toBe(401)
    let jobs: readonly { readonly id: string; readonly status: string }[] = []
    while (jobs[0]?.status !== 'RUNNING') jobs = JSON.parse(await (await ask('/jobs')).text()).jobs
    const texts = await Promise.all([...PAGES, ...MORE_PAGES].map(async (path) => (await ask(path)).text()))
    expect(texts.filter((text) => text.includes('CANARY'))).toEqual([])
    const { pid } = run.process
    if (existsSync(`/proc/${pid}/cmdline`)) expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(TOKEN)

    expect((await ask(`/jobs/${jobs[0]?.id}`, { method: 'PATCH' })).status).toBe(202)
    const { stdout, stderr } = await run.ended
    expect(stderr).toContain('my.password')
    expect(`${stdout}${stderr}`).not.toContain('CANARY')
  })
})

/** What the run prints when its server listens. */
function urlOf(stderr: Readable): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    stderr.on('data', (more: string) => {
      text += more
      const [, url] = /REST on (\S+)/.exec(text) ?? []
      if (url !== undefined) resolve(url)
    })
    stderr.on('close', () => reject(new Error(`no server listened:\n${text}`)))
  })
}
