/**
 * Writes a folder of savepoints into the corpus, in the formats of this version:
 *
 *   npm run build && node scripts/savepoint-corpus.mjs NAME
 *
 * test/fixtures/savepoints/README.md says when.
 */
import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { declareJob, ROUND, WRITTEN_MS } from '../test/fixtures/savepoint-corpus-job.mjs'
import { jobs } from '../test/fixtures/savepoint-jobs.mjs'

/** Three operators see each record of the first round, and one sees three records of its own. */
const NOTED = { everything: ROUND, reduced: ROUND, lists: ROUND, short: 3 }

async function main([name, ...rest]) {
  if (name === undefined || !/^[\w.-]+$/.test(name) || rest.length > 0) return refuse('name the new folder, e.g. v2')
  const folder = fileURLToPath(new URL(`../test/fixtures/savepoints/${name}`, import.meta.url))
  if (existsSync(folder)) return refuse(`${folder} is there already, and what is there is never written again`)
  setClock()
  const millrace = await import('../dist/src/index.js')
  for (const { backend, parallelism } of jobs) {
    const to = (format) => join(folder, `${backend}-${format}-${parallelism}`)
    await writeSavepoints(millrace, { backend, parallelism, to })
  }
}

/** One job writes both formats: they hold the same, but for the clock. */
async function writeSavepoints(millrace, { backend, parallelism, to }) {
  const env = millrace.StreamExecutionEnvironment.getExecutionEnvironment({ configuration: SETTINGS[backend] })
  env.setParallelism(parallelism).enableCheckpointing('1 h')
  const { settled, note } = countNotes()
  declareJob(millrace, env, { rounds: 1, note })
  const job = await env.executeAsync('corpus')
  await Promise.race([settled, job.getJobExecutionResult()])
  // Behind a checkpoint the short source has finished for good, and the savepoints say so.
  await whenNoTaskCloses(() => job.triggerCheckpoint())
  const target = `${to('native')}.written`
  const native = await whenNoTaskCloses(() => job.triggerSavepoint(target, { formatType: 'NATIVE' }))
  const canonical = await job.stopWithSavepoint({ drain: false, targetDirectory: target })
  renameSync(native, to('native'))
  renameSync(canonical, to('canonical'))
  rmSync(target, { recursive: true })
}

/** The short source ends by itself, and what is triggered while it does is refused. */
async function whenNoTaskCloses(trigger) {
  try {
    return await trigger()
  } catch (thrown) {
    if (!/TASK_CLOSING|NOT_ALL_REQUIRED_TASKS_RUNNING/.test(thrown.details?.reason)) throw thrown
    await new Promise((resolve) => setImmediate(resolve))
    return whenNoTaskCloses(trigger)
  }
}

/** State in files and, where it is small, in the metadata; a cache that holds almost nothing. */
const SETTINGS = {
  hashmap: { 'execution.checkpointing.data-inline-threshold': '2 kb' },
  leveldb: {
    'state.backend.type': 'leveldb',
    'state.backend.leveldb.cache-size': '4 kb',
    'execution.checkpointing.data-inline-threshold': '2 kb',
  },
}

function countNotes() {
  const left = { ...NOTED }
  let settle
  const settled = new Promise((resolve) => {
    settle = resolve
  })
  return {
    settled,
    note(what) {
      if (what in left) left[what]--
      if (Object.values(left).every((count) => count === 0)) settle()
      return what
    },
  }
}

/** Processing-time timers must not be due before the savepoint, and must be due whenever it is restored. */
function setClock() {
  const realNow = Date.now
  const offset = realNow() - WRITTEN_MS
  Date.now = () => realNow() - offset
}

function refuse(why) {
  console.error(why)
  process.exitCode = 2
}

await main(process.argv.slice(2))
