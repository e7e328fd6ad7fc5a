/** One process of a job under the kill test, from its start to its death, and what it leaves behind; and the verifier's process. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const COMMAND = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))
const VERIFIER = fileURLToPath(new URL('./verify.mjs', import.meta.url))
/** A process that lives longer without being killed is stuck. */
const LONGEST_LIFE_MS = 60_000

/**
 * `program` is the job's file with its arguments. `settings` and the plan as in kill-plan.mjs; `resume: false` for a start
 * from nothing. `attend` is called with the living process: `kill`, `suspend` by SIGTERM, `line(type)` resolves when that
 * was traced or the process is gone, `signal` is aborted then; what it returns is awaited.
 *
 * Resolves when the process is gone; `evidence` is what classify.mjs wants to know, but for `resumed`.
 */
export async function runProcess(folder, program, settings, plan, attend = async () => {}) {
  const { killAt = '', after, afterMs, stopMs = 0, resume = true } = plan
  const child = spawn(process.execPath, [COMMAND, ...runOptions(folder, settings, resume), ...program], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: { ...process.env, MILLRACE_TRACE: '1', MILLRACE_KILL_AT: killAt },
  })
  const timers = []
  const later = (ms, act) => timers.push(setTimeout(act, ms))
  const kill = () => child.kill('SIGKILL')
  const stopThenKill = () => {
    if (stopMs === 0) return kill()
    child.kill('SIGSTOP')
    later(stopMs, () => {
      child.kill('SIGCONT')
      later(stopMs / 2, kill)
    })
  }
  const traced = tracedBy(child)
  if (after !== undefined) void traced.line(after).then(() => later(afterMs, stopThenKill))
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr = (stderr + text).slice(-4000)
  })
  let stuck = false
  later(LONGEST_LIFE_MS, () => {
    stuck = true
    kill()
  })
  const gone = new AbortController()
  const closed = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })))
  const attended = attend({
    kill,
    suspend: () => child.kill('SIGTERM'),
    line: (type) => traced.line(type),
    signal: gone.signal,
  })
  const { code, signal } = await closed
  for (const timer of timers) clearTimeout(timer)
  gone.abort()
  traced.end()
  await attended
  const { lines } = traced
  if (stuck)
    return {
      killed: false,
      ending: 'it was stuck',
      stderr: `${stderr}\nlast lines: ${JSON.stringify(lines.slice(-20))}`,
    }
  return {
    killed: signal === 'SIGKILL',
    ending: `exit code ${code ?? signal}`,
    code,
    stderr,
    evidence: { lines, ...leftIn(join(folder, 'checkpoints')) },
  }
}

/** The verdict of verify.mjs with these arguments. */
export async function verifyOutput(of) {
  const verifier = spawn(process.execPath, [VERIFIER, ...of], { stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = ''
  verifier.stdout.setEncoding('utf8').on('data', (text) => {
    printed += text
  })
  const code = await new Promise((resolve) => verifier.on('close', resolve))
  return printed === '' ? { exact: false, verifier: `exit code ${code}` } : JSON.parse(printed)
}

/** What the process has traced so far. */
function tracedBy(child) {
  const lines = []
  const waiting = new Set()
  const settle = (isOver) => {
    for (const waiter of waiting) if (isOver(waiter)) waiter.resolve()
  }
  createInterface({ input: child.stdio[3] }).on('line', (text) => {
    const line = JSON.parse(text)
    lines.push(line)
    settle(({ type }) => type === line.type)
  })
  return {
    lines,
    line: (type) =>
      lines.some((line) => line.type === type)
        ? Promise.resolve()
        : new Promise((resolve) => waiting.add({ type, resolve })),
    end: () => settle(() => true),
  }
}

function runOptions(folder, settings, resume) {
  const options = {
    'execution.checkpointing.interval': `${settings.intervalMs} ms`,
    'execution.checkpointing.dir': join(folder, 'checkpoints'),
    'execution.checkpointing.num-retained': settings.retained,
    'execution.checkpointing.data-inline-threshold': `${settings.inlineBytes} b`,
    'pipeline.auto-watermark-interval': '20 ms',
    // A failure is a finding, nothing to recover from inside the process.
    'restart-strategy.type': 'none',
    ...(settings.backend === 'leveldb' ? onDisk(folder, settings) : {}),
    ...(settings.alignedTimeoutMs === undefined ? {} : overtaking(settings)),
  }
  return [
    ...['run', '--no-rest', '-p', String(settings.parallelism), ...(resume ? ['--resume'] : [])],
    ...Object.entries(options).flatMap(([key, value]) => ['-D', `${key}=${value}`]),
  ]
}

function overtaking({ alignedTimeoutMs }) {
  return {
    'execution.checkpointing.unaligned.enabled': true,
    'execution.checkpointing.aligned-checkpoint-timeout': `${alignedTimeoutMs} ms`,
    'execution.channel-credit': 128,
  }
}

function onDisk(folder, { cacheBytes }) {
  return {
    'state.backend.type': 'leveldb',
    'state.backend.leveldb.cache-size': `${cacheBytes} b`,
    'state.backend.leveldb.localdir': join(folder, 'scratch'),
    'execution.checkpointing.incremental': true,
  }
}

/** Ids of the published checkpoints, and whether the job has finished and cleaned up. */
function leftIn(checkpoints) {
  const [jobId] = existsSync(checkpoints) ? readdirSync(checkpoints) : []
  if (jobId === undefined) return { published: [], cleanedUp: false }
  const folder = join(checkpoints, jobId)
  const published = readdirSync(folder)
    .map((name) => Number(/^chk-(\d+)$/.exec(name)?.[1]))
    .filter((id) => existsSync(join(folder, `chk-${id}`, '_metadata')))
  const record = join(folder, 'job.json')
  const finished = existsSync(record) && JSON.parse(readFileSync(record, 'utf8')).record.status === 'FINISHED'
  return { published, cleanedUp: finished && published.length === 0 }
}
