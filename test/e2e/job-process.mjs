/** One process of the chain job, from its start to its death, and what it leaves behind; and the verifier's process. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const COMMAND = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))
const JOB = fileURLToPath(new URL('./programs/chain-job.mjs', import.meta.url))
const VERIFIER = fileURLToPath(new URL('./verify.mjs', import.meta.url))
/** A process that lives longer without being killed is stuck. */
const LONGEST_LIFE_MS = 60_000

/**
 * `settings` as in kill-plan.mjs; `plan` too, and `resume: false` for a start from nothing, `commitEarly` for the broken sink.
 * Resolves when the process is gone; `evidence` is what classify.mjs wants to know, but for `resumed`.
 */
export async function runProcess(
  folder,
  settings,
  { killAt = '', after, afterMs, stopMs = 0, resume = true, commitEarly = false },
) {
  const child = spawn(process.execPath, [COMMAND, ...commandLine(folder, settings, { resume, commitEarly })], {
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
  const lines = []
  createInterface({ input: child.stdio[3] }).on('line', (text) => {
    const line = JSON.parse(text)
    if (line.type === after && !lines.some(({ type }) => type === after)) later(afterMs, stopThenKill)
    lines.push(line)
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr = (stderr + text).slice(-4000)
  })
  let stuck = false
  later(LONGEST_LIFE_MS, () => {
    stuck = true
    kill()
  })
  const { code, signal } = await new Promise((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal })),
  )
  for (const timer of timers) clearTimeout(timer)
  if (stuck)
    return {
      killed: false,
      ending: 'it was stuck',
      stderr: `${stderr}\nlast lines: ${JSON.stringify(lines.slice(-20))}`,
    }
  const killed = signal === 'SIGKILL'
  return {
    killed,
    ending: `exit code ${code ?? signal}`,
    done: code === 0,
    stderr,
    evidence: { lines, ...leftIn(join(folder, 'checkpoints')) },
  }
}

/** The verdict of verify.mjs on the output of the job. */
export async function verifyOutput(folder, { seed, records }) {
  const of = ['--seed', String(seed), '--records', String(records), '--output', join(folder, 'output')]
  const verifier = spawn(process.execPath, [VERIFIER, ...of], { stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = ''
  verifier.stdout.setEncoding('utf8').on('data', (text) => {
    printed += text
  })
  const code = await new Promise((resolve) => verifier.on('close', resolve))
  return printed === '' ? { exact: false, verifier: `exit code ${code}` } : JSON.parse(printed)
}

function commandLine(folder, settings, { resume, commitEarly }) {
  const options = {
    'execution.checkpointing.interval': `${settings.intervalMs} ms`,
    'execution.checkpointing.dir': join(folder, 'checkpoints'),
    'execution.checkpointing.num-retained': settings.retained,
    'execution.checkpointing.data-inline-threshold': `${settings.inlineBytes} b`,
    // A failure is a finding, nothing to recover from inside the process.
    'restart-strategy.type': 'none',
  }
  const { seed, records, rate, sink, parallelism } = settings
  return [
    ...['run', '--no-rest', '-p', String(parallelism), ...(resume ? ['--resume'] : [])],
    ...Object.entries(options).flatMap(([key, value]) => ['-D', `${key}=${value}`]),
    JOB,
    ...['--seed', String(seed), '--records', String(records), '--rate', String(rate)],
    ...['--output', join(folder, 'output'), '--sink', sink, ...(commitEarly ? ['--commit-early'] : [])],
  ]
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
