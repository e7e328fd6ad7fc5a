import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, createServer as createRawServer, type Server as RawServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { HttpRequest } from '../../../src/base/http-client.ts'
import { nodeHttpClient } from '../../../src/base/node-http-client.ts'

const servers: (Server | RawServer)[] = []

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections()
    server.close()
  }
})

async function listening(server: Server | RawServer): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const answering = async (listener: RequestListener) => `http://127.0.0.1:${await listening(createServer(listener))}`

const request = (url: string, more: Partial<HttpRequest> = {}) =>
  nodeHttpClient().request({
    method: 'GET',
    url,
    headers: {},
    body: '{}',
    signal: new AbortController().signal,
    maxBytes: 1000,
    ...more,
  })

describe('the HTTP client', () => {
  it('sends a body with every method, and its headers', async () => {
    const url = await answering(async (asked, answer) => {
      const { method, headers } = asked
      const { 'content-length': length, connection, 'x-mine': mine } = headers
      answer.setHeader('content-type', 'a/b')
      answer.end(JSON.stringify({ method, length, connection, mine, body: await text(asked) }))
    })
    for (const method of ['GET', 'POST', 'PATCH'] as const) {
      const answer = await request(url, { method, body: '"ä"', headers: { 'X-Mine': 'y', Connection: 'close' } })
      expect(answer).toMatchObject({ status: 200, contentType: 'a/b', location: undefined })
      expect(JSON.parse(answer.text)).toEqual({ method, length: '4', connection: 'close', mine: 'y', body: '"ä"' })
    }
  })

  it('does not follow a redirection', async () => {
    let asked = 0
    const url = await answering((_asked, answer) => {
      asked++
      answer.writeHead(302, { location: '/elsewhere' }).end()
    })
    expect(await request(url)).toMatchObject({ status: 302, location: '/elsewhere', text: '' })
    expect(asked).toBe(1)
  })

  it('reads no more of an answer than it may, and closes the connection', async () => {
    let closed: Promise<unknown> | undefined
    const url = await answering((_asked, answer) => {
      closed = new Promise((resolve) => answer.on('close', resolve))
      answer.write('x'.repeat(1001))
    })
    await expect(request(url)).rejects.toMatchObject({ name: 'HttpFailure', code: 'ANSWER_TOO_LARGE' })
    await closed
    expect((await request(await answering((_asked, answer) => answer.end('x'.repeat(1000))))).text).toHaveLength(1000)
  })

  it('ends when it is told to, before an answer and in the middle of one', async () => {
    for (const begin of [false, true]) {
      const stop = new AbortController()
      const url = await answering((_asked, answer) => {
        if (begin) answer.write('{')
        setImmediate(() => stop.abort())
      })
      await expect(request(url, { signal: stop.signal })).rejects.toMatchObject({ code: 'ABORT_ERR' })
    }
  })

  it('fails with the code of the system', async () => {
    const server = createServer()
    const port = await listening(server)
    await new Promise((resolve) => server.close(resolve))
    await expect(request(`http://localhost:${port}`)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    const cut = await answering((_asked, answer) => {
      answer.writeHead(200, { 'content-length': '10' }).write('{')
      setImmediate(() => answer.destroy())
    })
    await expect(request(cut)).rejects.toMatchObject({ code: 'ECONNRESET' })
  })

  it('fails with the code of the parser where nobody speaks HTTP', async () => {
    const port = await listening(createRawServer((socket) => void socket.end('220 mail ready\r\n')))
    await expect(request(`http://127.0.0.1:${port}`)).rejects.toMatchObject({ code: expect.stringMatching(/^HPE_/) })
  })

  it('refuses a certificate that nobody has signed, whatever the environment says', async () => {
    // Node says aloud that this is no good idea.
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    const file = (name: string) => readFileSync(new URL(`../../fixtures/tls/${name}.pem`, import.meta.url))
    let asked = 0
    const key = { key: file('untrusted-key'), cert: file('untrusted-certificate') }
    const port = await listening(createSecureServer(key, () => asked++))
    await expect(request(`https://localhost:${port}`)).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
    expect(asked).toBe(0)
  })
})
