/** A job in an application. */
import { StreamExecutionEnvironment } from '../../../src/index.ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()

export async function inAnApplication(signal: AbortSignal): Promise<void> {
  await using client = await env.executeAsync('name', { signal })
  const id: string = client.jobId
  if ((await client.getJobStatus()) === 'RUNNING') await client.triggerCheckpoint()
  for await (const event of client.events()) if (event.type === 'job.status') console.log(id, event.status)
  await client.suspend({ timeoutMs: 10_000 })
  await client.cancel()
  const { jobId, netRuntimeMs } = await client.getJobExecutionResult()
  console.log(jobId, netRuntimeMs)
}

export async function results(): Promise<void> {
  await using results = await env.fromSequence(1, 5).executeAndCollect('name', { limit: 3 })
  for await (const value of results) console.log(value.toFixed())
  const all: number[] = await (await env.fromSequence(1, 5).executeAndCollect()).toArray()
  console.log(all)
}
