/** A job that begins anew beside an unfinished one of its name says so: it would write the same again. */
import { expect, test } from 'vitest'
import { SimulatedFileSystem } from '../../../src/base/simulated-file-system.ts'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import type { OpenJobOptions } from '../../../src/checkpoint/job-directory.ts'
import type { RecordChange } from '../../../src/checkpoint/job-storage.ts'
import { complete, JOB_ID, open, portsOn } from './job-fixture.ts'

const DIRECTORY = '/data/checkpoints'

function place() {
  const files = new SimulatedFileSystem({ turns: { next: (turn) => queueMicrotask(turn) } })
  const clock = new VirtualClock({ startMs: 1_000 })
  return { files, clock, ports: portsOn(files, { clock }) }
}

async function run(
  ports: ReturnType<typeof portsOn>,
  checkpoints: number,
  end: RecordChange,
  options?: Partial<OpenJobOptions>,
) {
  const job = await open(ports, DIRECTORY, options)
  for (let id = 1; id <= checkpoints; id++) await complete(job, id)
  await job.storage.writeRecord(end)
  await job.storage.close()
  return job
}

test('it names id, status and newest checkpoint, and says what to do', async () => {
  const { ports } = place()
  const first = await run(ports, 2, { status: 'RUNNING' })
  expect(first.warnings).toEqual([])
  const { warnings, start } = await open(ports, DIRECTORY)
  expect(start).toEqual({ kind: 'empty' })
  expect(warnings).toEqual([
    `Job 'wordcount' begins with empty state beside an unfinished job of the same name in '${DIRECTORY}': ${first.jobId} (RUNNING, newest checkpoint 2). What that one has written is written once more. Go on with it instead by --resume (resume: 'latest'), or remove its folder '${DIRECTORY}/${first.jobId}' when it neither runs nor is needed any more.`,
  ])
})

test('of several the one whose record is the newest is named, and the others are counted', async () => {
  const { ports, clock } = place()
  await run(ports, 1, { status: 'RUNNING' })
  clock.advance(1)
  const second = await run(ports, 0, { status: 'SUSPENDED' })
  const { warnings } = await open(ports, DIRECTORY)
  expect(warnings).toEqual([expect.stringContaining(`: ${second.jobId} (SUSPENDED, no checkpoint), and 1 more. `)])
  expect(warnings[0]).toContain(`--resume (resume: 'latest') with -D pipeline.fixed-job-id=${second.jobId}`)
})

test.each<[string, RecordChange, Partial<OpenJobOptions>]>([
  ['has ended', { status: 'FINISHED' }, {}],
  ['has failed', { status: 'FAILED' }, {}],
  ['has another name', { status: 'RUNNING' }, { name: 'other' }],
  ['is gone on with', { status: 'RUNNING' }, { resume: 'latest' }],
])('nothing is said of a job that %s', async (_, end, options) => {
  const { ports } = place()
  await run(ports, 1, end)
  const { warnings } = await open(ports, DIRECTORY, options)
  expect(warnings).toEqual([])
})

test('whoever names a savepoint has chosen', async () => {
  const { ports } = place()
  const first = await run(ports, 1, { status: 'RUNNING' })
  const fromSavepoint = `${DIRECTORY}/${first.jobId}/chk-1`
  expect((await open(ports, DIRECTORY, { fromSavepoint })).warnings).toEqual([])
})

test('a record that cannot be read is another job’s, and no obstacle', async () => {
  const { files, ports } = place()
  const path = `${DIRECTORY}/${JOB_ID}/job.json`
  await files.execute([
    { type: 'makeFolder', path: `${DIRECTORY}/${JOB_ID}` },
    { type: 'writeNew', path, bytes: new TextEncoder().encode('{') },
  ])
  await run(ports, 1, { status: 'RUNNING' })
  expect((await open(ports, DIRECTORY)).warnings).toHaveLength(1)
})
