/** What clients do to a server below its routes: S16 to S18 of docs/SECURITY-CHECKLIST.md. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../../../src/base/logger.ts'
import { ALL_ROUTES } from '../../../../src/rest/all-routes.ts'
import { type Listening, listen } from '../../../../src/rest/listen.ts'
import { type RestApplication, restApplication } from '../../../../src/rest/rest-application.ts'
import { clusterOf } from '../cluster-fixture.ts'
import { type RawClient, rawClient, statusesOf } from './raw-socket.ts'

const JOB = 'a'.repeat(32)
const HOST = 'Host: 127.0.0.1\r\n'
const LAST = 'Connection: close\r\n\r\n'
const GET = `GET /config HTTP/1.1\r\n${HOST}\r\n`
const json = (rest: string) =>
  `POST /jobs/${JOB}/checkpoints HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n${rest}`

const opened: Listening[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()))
})

async function serving(respond: RestApplication): Promise<Listening> {
  const listening = await listen(respond, { address: '127.0.0.1', ports: [0], logger: silentLogger })
  opened.push(listening)
  return listening
}

const whole = () => serving(restApplication({ routes: ALL_ROUTES, cluster: clusterOf() }))

/** Answers when it is told, to all that wait. */
function holding() {
  const waiting: (() => void)[] = []
  return {
    respond: () => new Promise<Response>((resolve) => waiting.push(() => resolve(new Response('{}')))),
    held: () => waiting.length,
    release: () => {
      for (const answer of waiting.splice(0)) answer()
    },
  }
}

describe('A request that two readers may read differently, or that no reader understands', () => {
  it.each<[string, string, readonly number[]]>([
    ['a second Host behind ours', `GET /config HTTP/1.1\r\n${HOST}Host: evil\r\n${LAST}`, [403]],
    ['a second Host before ours', `GET /config HTTP/1.1\r\nHost: evil\r\n${HOST}${LAST}`, [403]],
    ['a target of another host', `GET http://127.0.0.1@evil/config HTTP/1.1\r\n${HOST}${LAST}`, [403]],
    ['our target and another Host', `GET http://127.0.0.1/config HTTP/1.1\r\nHost: evil\r\n${LAST}`, [403]],
    ['a target that is a file', `GET file:///etc/passwd HTTP/1.1\r\n${HOST}${LAST}`, [400]],
    ['a second Origin', json(`Origin: http://127.0.0.1\r\nOrigin: http://evil\r\n${LAST}`), [403]],
    ['a second Sec-Fetch-Site', json(`Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site\r\n${LAST}`), [403]],
    ['a second Content-Type', json(`Content-Type: text/plain\r\nContent-Length: 2\r\n${LAST}{}`), [415]],
    ['a folded header', `GET /config HTTP/1.1\r\n${HOST}X: a\r\n b\r\n${LAST}`, [400]],
    ['bare line feeds', 'GET /config HTTP/1.1\nHost: 127.0.0.1\n\n', [400]],
    ['a blank before the colon', `GET /config HTTP/1.1\r\nHost : 127.0.0.1\r\n${LAST}`, [400]],
    ['an encoding that only ends in chunked', json(`Transfer-Encoding: xchunked\r\n${LAST}`), [400]],
    ['a chunk whose size is no number', json(`Transfer-Encoding: chunked\r\n${LAST}zz\r\n{}\r\n0\r\n\r\n`), [400]],
    ['a length below zero', json(`Content-Length: -1\r\n${LAST}`), [400]],
    ['a length beyond all numbers', json(`Content-Length: ${'9'.repeat(30)}\r\n${LAST}`), [400]],
    [
      'a method that another header names',
      `POST /jobs HTTP/1.1\r\n${HOST}X-HTTP-Method-Override: GET\r\n${LAST}`,
      [400],
    ],
    ['a way up that is encoded', `GET /a/%2e%2e/jobs/${JOB}/yarn-cancel HTTP/1.1\r\n${HOST}${LAST}`, [403]],
  ])('is refused where it has %s', async (_, bytes, statuses) => {
    expect(await statusesOf((await whole()).port, bytes)).toEqual(statuses)
  })

  it('has the headers of every answer also where no request can be made of it', async () => {
    const client = await rawClient((await whole()).port, `GET /config HTTP/1.1\r\nHost: a@b\r\n${LAST}`)
    await client.ended
    client.socket.destroy()
    expect(client.text().toLowerCase()).toMatch(
      /^http\/1\.1 400 .*content-security-policy: .*x-content-type-options: /s,
    )
  })
})

describe('A body', () => {
  it('that is shorter than announced is refused when the client has ended its half', async () => {
    expect(await statusesOf((await whole()).port, json('Content-Length: 50\r\n\r\n{}'), 'closed')).toEqual([400])
  })

  it('that is announced as too long is refused before any of it comes', async () => {
    expect(await statusesOf((await whole()).port, json('Content-Length: 999999999\r\n\r\n'))).toEqual([413])
  })

  it('of chunks without end is refused while it still comes', async () => {
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`
    const bytes = json(`Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(17)}`)
    expect(await statusesOf((await whole()).port, bytes)).toEqual([413])
  })

  it('of a GET is no request of its own', async () => {
    const inner = `GET /overview HTTP/1.1\r\n${HOST}${LAST}`
    const outer = `GET /config HTTP/1.1\r\n${HOST}Content-Length: ${inner.length}\r\n${LAST}`
    expect(await statusesOf((await whole()).port, `${outer}${inner}`)).toEqual([200])
  })
})

describe('A server', () => {
  it('gives nobody more time or connections than the checklist says', async () => {
    const { port } = await serving(async () => new Response('{}'))
    let server: Server | undefined
    const see = (message: unknown) => {
      server = (message as { readonly server: Server }).server
    }
    subscribe('http.server.request.start', see)
    await statusesOf(port, `GET / HTTP/1.1\r\n${HOST}${LAST}`)
    unsubscribe('http.server.request.start', see)
    expect(server?.headersTimeout).toBe(10_000)
    expect(server?.requestTimeout).toBe(30_000)
    expect(server?.keepAliveTimeout).toBe(5_000)
    expect(server?.timeout).toBe(60_000)
    expect(server?.maxConnections).toBe(1_000)
  })

  it('answers requests that come without waiting, in their order', async () => {
    const paths = ['/config', '/overview', '/nope', '/jobs']
    const bytes = paths.map((path, at) => `GET ${path} HTTP/1.1\r\n${HOST}${at === 3 ? LAST : '\r\n'}`).join('')
    expect(await statusesOf((await whole()).port, bytes)).toEqual([200, 200, 404, 200])
  })

  it('ends a connection on which more than ten wait for their answers', async () => {
    const { respond, held, release } = holding()
    const { port } = await serving(respond)
    expect(await statusesOf(port, GET.repeat(2_000))).toEqual([])
    expect(held()).toBe(10)
    release()
  })

  it('answers 503 while a hundred are being answered, and then takes more', async () => {
    const { respond, held, release } = holding()
    const { port } = await serving(respond)
    const clients = await Promise.all(Array.from({ length: 10 }, () => rawClient(port, GET.repeat(10))))
    await turned(() => held() >= 100)
    const refused = await refusedOnce(port)
    expect(held()).toBe(100)
    expect(refused).toMatch(/^HTTP\/1\.1 503 .*Content-Security-Policy: .*\{"errors":\["100 requests are /s)
    const answered = clients.map((client) => client.answers(10))
    release()
    await Promise.all(answered)
    const another = await rawClient(port, GET)
    const answer = another.answers(1)
    await turned(() => held() > 0)
    release()
    await answer
    for (const { socket } of [...clients, another]) socket.destroy()
  })

  it('does not count what came on a connection that is gone', async () => {
    const { respond, held, release } = holding()
    const gone: Promise<void>[] = []
    const see = (message: unknown) => {
      const { socket } = message as { readonly socket: Socket }
      gone.push(new Promise((resolve) => socket.once('close', () => resolve())))
    }
    subscribe('net.server.socket', see)
    const { port } = await serving(respond)
    const clients: RawClient[] = []
    for (let round = 0; round < 3; round++) {
      clients.push(...(await Promise.all(Array.from({ length: 10 }, () => rawClient(port, GET.repeat(10))))))
      await turned(() => held() >= 100 * (round + 1))
      for (const { socket } of clients) socket.destroy()
      await Promise.all(gone)
    }
    unsubscribe('net.server.socket', see)
    expect(held()).toBe(300)
    release()
  })

  it('ends although somebody keeps the tunnel open that was refused', async () => {
    const listening = await serving(async () => new Response('{}'))
    const client = await rawClient(listening.port, 'CONNECT evil:443 HTTP/1.1\r\nHost: evil\r\n\r\n')
    await client.ended
    await listening.close()
    client.socket.destroy()
    expect(client.text()).toMatch(/^HTTP\/1\.1 404 /)
  })
})

/** A request of its own, which is refused. */
async function refusedOnce(port: number): Promise<string> {
  const client = await rawClient(port, `GET /config HTTP/1.1\r\n${HOST}\r\n`)
  await client.ended
  client.socket.destroy()
  return client.text()
}

/** Turns of the event loop, until the server has seen what was sent. */
async function turned(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve))
}
