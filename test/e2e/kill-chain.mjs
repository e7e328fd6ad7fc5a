/** The chain job under the kill test: how it is run, and how it ends. It is bounded, and ends by itself. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProcess, verifyOutput } from './job-process.mjs'
import { InFlightTally } from './kill-in-flight.mjs'
import { Leftovers } from './kill-leftovers.mjs'
import { chainJobOf, parallelismOf, placed, planOf } from './kill-plan.mjs'

const JOB = fileURLToPath(new URL('./programs/chain-job.mjs', import.meta.url))

/** Where barriers overtake, the sink takes so many times longer than the source. */
const SLOWER = 3

/**
 * From the first process to the verified end. `mayKill()` says whether more kills are wanted; `killed(evidence)` is told of
 * each. Resolves with the verdict and what was left behind, or with `failure`: how a process ended that should not have.
 */
export async function runChainJob({ seed, number, folder, place, mayKill, killed }) {
  const job = placed(chainJobOf(seed, number), number, place)
  const { settings } = job
  const leftovers = new Leftovers(folder)
  const inFlight = new InFlightTally()
  for (let life = 0; ; life++) {
    const parallelism = parallelismOf(job)
    const end = await chainProcess(folder, { ...settings, parallelism }, mayKill() ? planOf(job, life) : {})
    if (!end.killed && end.code !== 0) return { settings, failure: `${end.ending} in life ${life}`, stderr: end.stderr }
    inFlight.lived(end.evidence)
    // A process that was to be killed and was faster has ended the job.
    if (!end.killed) break
    killed(end.evidence)
    leftovers.killed(life, end.evidence)
  }
  leftovers.ended({ least: 0, most: 0 })
  const { problems, counts } = leftovers
  return {
    settings,
    verdict: await verifyChainOutput(folder, settings),
    problems,
    coverage: { ...counts, ...inFlight.counts },
  }
}

/** `commitEarly` in the plan: with a broken sink; `fault`: as programs/shared-faults.mjs says. */
export function chainProcess(folder, settings, plan) {
  mkdirSync(join(folder, 'output'), { recursive: true })
  const { seed, records, rate, sink, parallelism, alignedTimeoutMs } = settings
  const sinkRate = alignedTimeoutMs === undefined ? 0 : Math.round(rate / SLOWER / parallelism)
  const program = [
    JOB,
    ...['--seed', String(seed), '--records', String(records), '--rate', String(rate)],
    ...['--output', join(folder, 'output'), '--sink', sink, '--sink-rate', String(sinkRate)],
    ...(plan.commitEarly ? ['--commit-early'] : []),
    ...(plan.fault === undefined ? [] : ['--fault', plan.fault]),
  ]
  return runProcess(folder, program, settings, plan)
}

export function verifyChainOutput(folder, { seed, records }) {
  return verifyOutput(['--seed', String(seed), '--records', String(records), '--output', join(folder, 'output')])
}
