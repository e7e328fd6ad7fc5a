/** The HTTP client port of a real process, on Node's own client. Modules are loaded with the first request. */
import type { IncomingMessage } from 'node:http'
import { ANSWER_TOO_LARGE, type HttpAnswer, type HttpClient, HttpFailure, type HttpRequest } from './http-client.ts'

export function nodeHttpClient(): HttpClient {
  return {
    async request(request) {
      try {
        return await answerOf(await sent(request), request.maxBytes)
      } catch (thrown) {
        throw asFailure(thrown)
      }
    },
  }
}

async function sent({ method, url, headers, body, signal }: HttpRequest): Promise<IncomingMessage> {
  const { request } = url.startsWith('https:') ? await import('node:https') : await import('node:http')
  return new Promise((resolve, reject) => {
    const outgoing = request(url, {
      method,
      headers: { ...headers, 'Content-Length': Buffer.byteLength(body) },
      signal,
      // A connection for each request, as Flink's client does; certificates count whatever the environment says.
      agent: false,
      rejectUnauthorized: true,
    })
    outgoing.once('response', resolve)
    // It stays: when the answer is cut off, the request fails once more.
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

async function answerOf(response: IncomingMessage, maxBytes: number): Promise<HttpAnswer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.byteLength
    // Leaving the loop closes the connection.
    if (length > maxBytes) throw new HttpFailure(ANSWER_TOO_LARGE, `The answer is longer than ${maxBytes} bytes.`)
    chunks.push(chunk)
  }
  return {
    status: response.statusCode ?? 0,
    contentType: response.headers['content-type'],
    location: response.headers.location,
    text: new TextDecoder().decode(Buffer.concat(chunks)),
  }
}

/** Errors of sockets, of TLS and of the parser have a code; with several addresses it stands on all of them together. */
function asFailure(thrown: unknown): unknown {
  if (thrown instanceof HttpFailure || !(thrown instanceof Error)) return thrown
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined
  return code === undefined ? thrown : new HttpFailure(code, thrown.message || code, thrown)
}
