/** The socket side of the server: which port it gets, how long clients may take, and that nobody is kept waiting at its end. */
import { createServer, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import { systemClock } from '../base/clock.ts'
import { StreamError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { limited } from './request-limits.ts'
import type { RestApplication } from './rest-application.ts'
import { apiHeaders } from './security-headers.ts'

export interface Listening {
  readonly port: number
  /** Accepts nobody any more, lets the requests that are under way end, and ends those that take over 2 s. */
  close(): Promise<void>
}

const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  /** How often the two above are looked at. */
  connectionsCheckingInterval: 2_000,
}
const MOST_CONNECTIONS = 1_000
/** A connection on which nothing moves for so long is ended: a client that asks and never reads would keep it for ever. */
const SILENCE_MS = 60_000
const LAST_ANSWERS_MS = 2_000

/**
 * On the first free port of `ports`. It keeps no process alive, but for the time of a request. Rejects with
 * REST_NOT_LISTENING where none is free or the address cannot be used.
 */
export async function listen(
  respond: RestApplication,
  { address, ports, logger }: { readonly address: string; readonly ports: readonly number[]; readonly logger: Logger },
): Promise<Listening> {
  const server = createServer(
    LIMITS,
    limited(
      getRequestListener(respond, {
        overrideGlobalObjects: false,
        // Stands in for a Host header that is missing, which is refused.
        hostname: 'unnamed.invalid',
        errorHandler: badRequest,
      }),
    ),
  )
  server.timeout = SILENCE_MS
  server.maxConnections = MOST_CONNECTIONS
  server.on('connection', (socket) => socket.unref())
  server.on('request', ({ socket }, answer) => {
    if (socket.destroyed) return
    socket.ref()
    answer.once('close', () => socket.unref())
  })
  server.on('connect', refuseTunnel)
  const port = await firstFree(server, address, ports)
  server.unref()
  server.on('error', ({ message }) => logger.warn(`the REST server could not take a connection: ${message}`))
  return { port, close: () => closed(server) }
}

/** What the framework cannot make a web request of: a Host header or a target that is none. */
function badRequest(): Response {
  const body = JSON.stringify({ errors: ['The request cannot be read.'] })
  const headers = { ...apiHeaders({ allowedOrigin: undefined }), 'Content-Type': 'application/json; charset=UTF-8' }
  return new Response(body, { status: 400, headers })
}

/**
 * CONNECT comes to no handler of requests; it is answered as every method that nothing here has. The server does not know
 * the connection any more then: its end must not wait until the client ends it too.
 */
function refuseTunnel({ url = '' }: { readonly url?: string | undefined }, socket: Duplex): void {
  const body = JSON.stringify({ errors: [`Not found: ${url}`] })
  const head = `HTTP/1.1 404 Not Found\r\nContent-Type: application/json; charset=UTF-8\r\nContent-Length: ${Buffer.byteLength(body)}`
  socket.on('error', () => {
    // Whoever asked is gone.
  })
  socket.end(`${head}\r\nConnection: close\r\n\r\n${body}`, () => socket.destroy())
}

async function firstFree(server: Server, address: string, ports: readonly number[]): Promise<number> {
  for (const port of ports) {
    const code = await refusalOfPort(server, address, port)
    if (code === undefined) return portOf(server)
    if (code !== 'EADDRINUSE')
      throw notListening(`cannot listen on ${address}, port ${port}: ${code}`, { address, port })
  }
  const [first, last] = [ports[0], ports.at(-1)]
  const asked = first === last ? `port ${first}` : `every port from ${first} to ${last}`
  throw notListening(`does not listen: ${asked} of ${address} is in use`, { address, ports })
}

/** The system's code; undefined: it listens. */
function refusalOfPort(server: Server, host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const refused = (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message)
    server.once('error', refused)
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', refused)
      resolve(undefined)
    })
  })
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Sockets live in real time, whatever clock the jobs have. */
async function closed(server: Server): Promise<void> {
  const timer = systemClock().setTimer(LAST_ANSWERS_MS, () => server.closeAllConnections())
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
  })
  timer.cancel()
}

function notListening(what: string, details: Readonly<Record<string, unknown>>): StreamError {
  return new StreamError('REST_NOT_LISTENING', {
    message: `The REST server ${what}.`,
    hint: 'Choose another port (0: any free one), end what listens there, or do without the server (--no-rest).',
    details: { ...details, exitCode: 2 },
  })
}
