/** A client that writes the bytes it is told, and says what came back: what no HTTP client can be made to send. */
import { connect, type Socket } from 'node:net'

export interface RawClient {
  readonly socket: Socket
  /** All that has come. */
  text(): string
  /** Settles when as many answers have begun to come. */
  answers(count: number): Promise<void>
  /** The other side has ended the connection, or broken it. */
  readonly ended: Promise<void>
}

export async function rawClient(port: number, bytes: string | Buffer): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let text = ''
  const waiting: { readonly count: number; resolve(): void }[] = []
  socket.on('data', (data) => {
    text += data.toString('latin1')
    const come = text.split('HTTP/1.1 ').length - 1
    for (const { count, resolve } of waiting) if (come >= count) resolve()
  })
  const ended = new Promise<void>((resolve) => {
    for (const event of ['end', 'error', 'close']) socket.on(event, () => resolve())
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.once('connect', () => resolve())
  })
  socket.write(bytes)
  return {
    socket,
    text: () => text,
    answers: (count) => new Promise((resolve) => waiting.push({ count, resolve })),
    ended,
  }
}

/** The statuses of all that comes until the other side ends the connection. */
export async function statusesOf(port: number, bytes: string | Buffer, half: 'open' | 'closed' = 'open') {
  const client = await rawClient(port, bytes)
  if (half === 'closed') client.socket.end()
  await client.ended
  client.socket.destroy()
  return [...client.text().matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))
}
