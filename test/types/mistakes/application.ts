/** A job in an application, asked for what it does not have. Each sentence says what is wrong; the line below it must not compile. */
import type { JobClient, SingleOutputStreamOperator, StreamExecutionEnvironment } from '../../../src/index.ts'

declare const numbers: SingleOutputStreamOperator<number>

export async function started(env: StreamExecutionEnvironment, controller: AbortController): Promise<void> {
  // @ts-expect-error signal: the controller is no signal
  await env.executeAsync('name', { signal: controller })
  // @ts-expect-error resume: there is no such choice
  await env.execute('name', { resume: 'newest' })
  // @ts-expect-error claimMode: there is no such mode
  await env.execute('name', { fromSavepoint: '/savepoints/s', claimMode: 'LEGACY' })
  // @ts-expect-error execute: takes a name first
  await env.execute({ resume: 'latest' })
  // @ts-expect-error executeAsync: gives a promise of a client
  env.executeAsync('name').cancel()
}

export async function asked(client: JobClient): Promise<void> {
  // @ts-expect-error jobId: no function
  client.jobId()
  // @ts-expect-error getJobStatus: gives a promise, which is never 'RUNNING'
  if (client.getJobStatus() === 'RUNNING') return
  // @ts-expect-error getJobStatus: there is no such status
  if ((await client.getJobStatus()) === 'STOPPED') return
  // @ts-expect-error events: a client is no iterable, its events are
  for await (const event of client) console.log(event)
  for await (const event of client.events()) {
    // @ts-expect-error events: only some have a status; ask for the type first
    console.log(event.status)
    // @ts-expect-error events: there is no such type
    if (event.type === 'checkpoint.complete') console.log(event)
  }
  // @ts-expect-error suspend: milliseconds
  await client.suspend({ timeoutMs: '10 s' })
}

export async function collected(): Promise<void> {
  const results = await numbers.executeAndCollect('name')
  // @ts-expect-error executeAndCollect: the records of the stream
  for await (const value of results) console.log(value.id)
  // @ts-expect-error executeAndCollect: its results come in time
  for (const value of results) console.log(value)
  // @ts-expect-error executeAndCollect: the limit is a number
  await numbers.executeAndCollect('name', { limit: '5' })
  // @ts-expect-error toArray: gives a promise
  numbers.executeAndCollect('name').toArray()
}
