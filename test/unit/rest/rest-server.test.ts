import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { endedJob } from '../../../src/api/ended-job.ts'
import { DiscardingSink, defineSource, type StreamExecutionEnvironment, WatermarkStrategy } from '../../../src/index.ts'
import { type RestServer, restServer } from '../../../src/rest/index.ts'
import { MiniCluster } from '../../../src/testing/index.ts'

/** Reads nothing and never ends. */
const silent = (cluster: MiniCluster) =>
  defineSource<number, number>({
    boundedness: 'continuous-unbounded',
    splits: () => ['one'],
    start: () => 0,
    async *read() {
      for (;;) {
        await cluster.sleep(1000)
        yield { value: 1, position: 1 }
      }
    },
  })

function declare(cluster: MiniCluster, env: StreamExecutionEnvironment): StreamExecutionEnvironment {
  env
    .fromSource(silent(cluster), WatermarkStrategy.noWatermarks(), 'silent')
    .uid('source')
    .sinkTo(new DiscardingSink())
    .uid('sink')
  return env
}

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes.
  readonly body: any
}

async function ask(server: RestServer, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`${server.url}${path}`, { ...init, headers: { connection: 'close', ...init.headers } })
  return { status: response.status, body: await response.json() }
}

const post = (server: RestServer, path: string, body: unknown) =>
  ask(server, path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json; charset=UTF-8' },
  })

/** What comes back for these very bytes. */
function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    let text = ''
    socket.on('data', (data) => {
      text += data
    })
    socket.on('close', () => resolve(text))
    socket.on('error', reject)
  })
}

describe('a REST server that is given to execute', () => {
  it('listens before the job starts, shows all jobs that are given to it, and keeps them when they have ended', async () => {
    await using cluster = new MiniCluster()
    await using server = restServer({ port: 0 })
    expect(server.url).toBeUndefined()
    const one = await declare(cluster, cluster.environment()).executeAsync('one', { rest: server })
    const { port } = server
    const other = await declare(cluster, cluster.environment()).executeAsync('other', { rest: server })
    expect(server.port).toBe(port)
    await cluster.until(one.cancel())
    const { body } = await ask(server, '/v1/jobs/overview')
    const states = body.jobs.map((job: { name: string; state: string }) => `${job.name} ${job.state}`)
    expect(new Set(states)).toEqual(new Set(['one CANCELED', 'other RUNNING']))
    expect((await ask(server, `/jobs/${other.jobId.toUpperCase()}/status`)).body).toEqual({ status: 'RUNNING' })
  })

  it('asks a job that has ended nothing more, so that nothing keeps alive what it was made of', async () => {
    await using cluster = new MiniCluster()
    await using server = await cluster.rest()
    const ended = endedJob({ jobId: 'a'.repeat(32), jobName: 'x', status: 'FINISHED' })
    const executionGraph = vi.fn(ended.executionGraph)
    server.serve({ ...ended, executionGraph })
    await ended.result
    executionGraph.mockClear()
    expect((await ask(server, `/v1/jobs/${ended.jobId}`)).body).toMatchObject({ name: 'x', state: 'FINISHED' })
    expect(executionGraph).not.toHaveBeenCalled()
  })

  it('refuses the job where its port is in use, and nothing starts', async () => {
    await using cluster = new MiniCluster()
    await using first = await cluster.rest()
    await using second = restServer({ port: first.port })
    const refused = declare(cluster, cluster.environment()).executeAsync('one', { rest: second })
    await expect(refused).rejects.toMatchObject({ code: 'REST_NOT_LISTENING', details: { exitCode: 2 } })
    expect((await ask(first, '/jobs')).body).toEqual({ jobs: [] })
    expect(second.url).toBeUndefined()
  })

  it('takes the first free port of a range', async () => {
    await using cluster = new MiniCluster()
    await using first = await cluster.rest()
    const port = first.port ?? 0
    await using second = await cluster.rest({ port: `${port}-${Math.min(port + 20, 65_535)}` })
    expect(second.port).toBeGreaterThan(port)
  })

  it('is refused where it is no such server, or was closed', async () => {
    await using cluster = new MiniCluster()
    // @ts-expect-error a port is no server
    const refused = declare(cluster, cluster.environment()).executeAsync('one', { rest: 8081 })
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    const server = restServer({ port: 0 })
    await server.close()
    const late = declare(cluster, cluster.environment()).executeAsync('one', { rest: server })
    await expect(late).rejects.toMatchObject({ code: 'REST_NOT_LISTENING' })
  })

  it('gives the log of its jobs to whoever asks, and to their logger', async () => {
    const lines: string[] = []
    const info = (line: string) => void lines.push(line)
    await using cluster = new MiniCluster({ logger: { debug() {}, info, warn: info, error: info } })
    await using server = restServer({ port: 0 })
    const env = declare(cluster, cluster.environment()).enableCheckpointing(1000)
    const { jobId } = await env.executeAsync('one', { rest: server })
    expect(lines[0]).toBe(`REST on ${server.url}`)
    const log = await (await fetch(`${server.url}/jobmanager/log`)).text()
    expect(log).toContain(`REST on ${server.url}`)
    expect(log).toContain('Job "one" has no checkpoint directory')
    expect(log).toContain(`Job "one" (${jobId}) is CREATED`)
    expect(lines.join()).not.toContain('is CREATED')
  })
})

describe('a savepoint over a REST server', () => {
  it('is triggered, asked for until it is there, and the server does not end before somebody has asked', async () => {
    await using cluster = new MiniCluster()
    const server = restServer({ port: 0 })
    const job = await declare(cluster, cluster.environment()).executeAsync('one', { rest: server })
    await cluster.untilRunning(job)
    const triggered = await post(server, `/v1/jobs/${job.jobId}/stop`, { targetDirectory: '/sp', drain: false })
    expect(triggered.status).toBe(202)
    await cluster.until(job.getJobExecutionResult())
    let closed = false
    const closing = server.close().then(() => {
      closed = true
    })
    expect((await ask(server, '/jobs')).status).toBe(200)
    expect(closed).toBe(false)
    const { body } = await ask(server, `/v1/jobs/${job.jobId}/savepoints/${triggered.body['request-id']}`)
    expect(body).toMatchObject({
      status: { id: 'COMPLETED' },
      operation: { location: expect.stringContaining('/sp/') },
    })
    await closing
    expect(server.url).toBeUndefined()
  })

  it('holds nobody up whom the server that is closed could not answer any more', async () => {
    await using cluster = new MiniCluster()
    const server = restServer({ port: 0 })
    const job = await declare(cluster, cluster.environment()).executeAsync('one', { rest: server })
    await cluster.untilRunning(job)
    await post(server, `/v1/jobs/${job.jobId}/stop`, { targetDirectory: '/sp', drain: false })
    await cluster.until(job.getJobExecutionResult())
    const waited = server.answered()
    await server.close({ withinMs: 0 })
    await expect(waited).resolves.toBeUndefined()
  })
})

describe('the sockets of a REST server', () => {
  it('answer what the framework makes no request of: CONNECT, TRACE, an upgrade, a Host that is none', async () => {
    await using cluster = new MiniCluster()
    await using server = await cluster.rest()
    const port = server.port ?? 0
    const line = async (bytes: string) => (await raw(port, bytes)).split('\r\n')[0]
    const close = 'Connection: close\r\n\r\n'
    expect(await raw(port, `CONNECT evil:443 HTTP/1.1\r\nHost: evil\r\n${close}`)).toContain('"Not found: evil:443"')
    expect(await raw(port, `TRACE /config HTTP/1.1\r\nHost: localhost\r\n${close}`)).toContain('"Not found: /config"')
    expect(await line(`GET /config HTTP/1.1\r\nHost: a@localhost\r\n${close}`)).toBe('HTTP/1.1 400 Bad Request')
    expect(await line(`GET /config HTTP/1.0\r\n\r\n`)).toBe('HTTP/1.1 400 Bad Request')
    expect(await line(`GET http://evil/config HTTP/1.1\r\nHost: localhost\r\n${close}`)).toBe('HTTP/1.1 403 Forbidden')
    expect(await line(`GET / HTTP/1.1\r\nHost: evil\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n`)).toBe(
      'HTTP/1.1 403 Forbidden',
    )
  })

  it('take no request that two readers may read differently, and no head without end', async () => {
    await using cluster = new MiniCluster()
    await using server = await cluster.rest()
    const status = async (head: string) =>
      (await raw(server.port ?? 0, `POST /jobs HTTP/1.1\r\nHost: localhost\r\n${head}\r\n\r\n`)).slice(9, 12)
    expect(await status('Content-Length: 2\r\nTransfer-Encoding: chunked')).toBe('400')
    expect(await status('Content-Length: 2\r\nContent-Length: 3')).toBe('400')
    expect(await status(`X: ${'a'.repeat(20_000)}`)).toBe('431')
  })

  it('bring the answer to the real client of Flink, which sends a body with every GET', async () => {
    await using cluster = new MiniCluster()
    await using server = await cluster.rest()
    const answer = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { 'content-type': 'application/json; charset=UTF-8', 'content-length': 2, connection: 'close' }
      const request = httpRequest(`${server.url}/v1/jobs/overview`, { method: 'GET', headers }, ({ statusCode }) =>
        resolve(statusCode),
      )
      request.on('error', reject)
      request.end('{}')
    })
    expect(answer).toBe(200)
  })
})

describe('the server of a mini cluster', () => {
  it('shows the jobs of the process that lives, and ends with it', async () => {
    await using cluster = new MiniCluster()
    const before = await declare(cluster, cluster.environment()).executeAsync('before')
    const server = await cluster.rest()
    await declare(cluster, cluster.environment()).executeAsync('after')
    expect((await ask(server, '/jobs/overview')).body.jobs).toHaveLength(2)
    expect((await ask(server, `/jobs/${before.jobId}`)).body).toMatchObject({ name: 'before', 'start-time': 0 })
    cluster.kill()
    cluster.restart()
    const late = declare(cluster, cluster.environment()).executeAsync('late', { rest: server })
    await expect(late).rejects.toMatchObject({ code: 'REST_NOT_LISTENING' })
    await using another = await cluster.rest()
    expect((await ask(another, '/jobs/overview')).body.jobs).toEqual([])
  })
})
