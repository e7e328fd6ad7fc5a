/** Real jobs, one after the other in this process: when they are over, nothing of them is held. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, expect, test } from 'vitest'
import { DiscardingSink, RestartStrategies, StreamExecutionEnvironment } from '../../src/index.ts'
import { promises } from './harness.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const folder = mkdtempSync(join(tmpdir(), 'millrace-memory-'))
afterAll(() => rmSync(folder, { recursive: true }))

type End = 'finishes' | 'fails' | 'is cancelled' | 'is left by its reader'

/** Runs a job that holds an object of the program, and gives what could show that somebody holds on to it. */
async function runOne(end: End, directory: string | undefined): Promise<readonly WeakRef<object>[]> {
  const held = { of: 'the program' }
  const env = StreamExecutionEnvironment.getExecutionEnvironment()
  env.enableCheckpointing(10).setRestartStrategy(RestartStrategies.noRestart())
  if (directory !== undefined) env.getCheckpointConfig().setCheckpointStorage(directory)
  const stream = env
    .fromSequence(1, end === 'finishes' || end === 'fails' ? 500 : 1_000_000_000)
    .map((value) => {
      if (end === 'fails' && value === 400) throw new Error('down', { cause: held })
      return { value, held }
    })
    .filter(({ held }) => held.of !== '')
    .map(({ value }) => ({ value }))
  if (end === 'is left by its reader') {
    const results = await stream.executeAndCollect('x')
    for await (const _ of results) break
    return [new WeakRef(held), new WeakRef(env), new WeakRef(results), new WeakRef(results.client)]
  }
  stream.sinkTo(new DiscardingSink())
  const client = await env.executeAsync('x', { signal: SIGNAL })
  const events = client.events()
  if (end === 'is cancelled') await client.cancel()
  await client.getJobExecutionResult().catch(() => {})
  return [new WeakRef(held), new WeakRef(env), new WeakRef(client), new WeakRef(events)]
}

/** Lives as long as the process, as that of an application does. */
const { signal: SIGNAL } = new AbortController()

test.each<[End]>([['finishes'], ['fails'], ['is cancelled'], ['is left by its reader']])(
  'a job that %s is let go, with everything that its functions hold',
  async (end) => {
    const refs: WeakRef<object>[] = []
    for (const directory of [undefined, folder]) refs.push(...(await runOne(end, directory)))
    for (let round = 0; round < 10 && refs.some((ref) => ref.deref() !== undefined); round++) {
      await promises()
      collectGarbage()
    }
    expect(refs.map((ref) => ref.deref() !== undefined)).toEqual(refs.map(() => false))
  },
)

test('fifty jobs leave no more timers, handles and listeners behind than one', async () => {
  await runOne('finishes', folder)
  const open = () =>
    process
      .getActiveResourcesInfo()
      .filter((name) => name !== 'Immediate')
      .toSorted()
  const names = () => process.eventNames().map((name) => [name, process.listenerCount(name)])
  const [before, listeners] = [open(), names()]
  for (let each = 0; each < 50; each++) await runOne('finishes', each % 5 === 0 ? folder : undefined)
  await promises()
  expect(open().length).toBeLessThanOrEqual(before.length)
  expect(names()).toEqual(listeners)
})
