/** How many requests are answered at a time: of all clients together, and of a client that does not wait for its answers. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { apiHeaders } from './security-headers.ts'

type Socket = IncomingMessage['socket']

/** Answers that nobody has read yet take memory, and making them takes the time of the loop that runs the jobs. */
const MOST_AT_A_TIME = 100
/** Browsers, Flink's clients and the usual libraries wait for an answer before they ask again on the same connection. */
const MOST_UNANSWERED = 10

/**
 * `answer`, within these bounds: who asks for more gets 503, and a connection on which requests come in faster than
 * answers go out is ended. A request counts until its answer was taken, or its connection is gone.
 */
export function limited(answer: RequestListener): RequestListener {
  /** Of each connection, how many of its requests count. */
  const unanswered = new WeakMap<Socket, number>()
  let total = 0
  const change = (socket: Socket, by: number) => {
    const before = unanswered.get(socket) ?? 0
    const after = Math.max(0, before + by)
    unanswered.set(socket, after)
    total += after - before
  }
  return (request, response) => {
    const { socket } = request
    if (socket.destroyed) return
    const before = unanswered.get(socket)
    if (before === undefined) socket.once('close', () => change(socket, -MOST_UNANSWERED))
    if (before === MOST_UNANSWERED) return void socket.destroy()
    const isTooMuch = total >= MOST_AT_A_TIME
    change(socket, 1)
    // Of an answer that waits behind another one nothing is heard when the connection breaks.
    response.once('close', () => change(socket, -1))
    if (isTooMuch) refuse(request, response)
    else answer(request, response)
  }
}

function refuse(request: IncomingMessage, response: ServerResponse): void {
  const errors = [`${MOST_AT_A_TIME} requests are being answered, which is the most at a time: try again later.`]
  response.writeHead(503, {
    ...apiHeaders({ allowedOrigin: undefined }),
    'Content-Type': 'application/json; charset=UTF-8',
    'Retry-After': '1',
    Connection: 'close',
  })
  response.end(JSON.stringify({ errors }))
  request.resume()
}
