/** Opens the bank, runs the job, kills it with SIGKILL, resumes it, and audits the bank's book. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/ready.mjs'
import { runJob } from '../job-process.mjs'
import { openBank } from './bank.mjs'

/** Prints what happens; resolves with whether the book is exact. */
export async function drive({ perBranch = 3_000, target = join(root, 'target', 'ledger') } = {}) {
  rmSync(target, { recursive: true, force: true })
  const bank = await openBank({ perBranch, perConnection: 1_200, perSecond: 1_000 })
  const options = ['--resume', '-D', `execution.checkpointing.dir=${join(target, 'checkpoints')}`]
  const events = []
  try {
    console.log(`${3 * perBranch} transfers from 3 branches, a checkpoint every 200 ms ...`)
    for (const killAfter of [2, undefined]) {
      const run = await runJob('ledger/job.ts', { options, args: [bank.url], killAfter })
      events.push(...run.events)
      if (run.killed) console.log('killed the job with SIGKILL, resuming ...')
      else if (run.code !== 0) console.log(`the job ended with ${run.code}: ${JSON.stringify(run.events.at(-2))}`)
    }
    const { accounts, wrong, hungUp, transactions, abandoned } = bank.audit()
    const restarts = events.filter(({ type }) => type === 'restart.scheduled').length
    console.log(`the bank hung up ${hungUp} times, the job restarted ${restarts} times by itself`)
    console.log(`${transactions} transactions committed, ${abandoned} prepared and never announced\n`)
    console.log('account  postings        balance')
    for (const { account, postings, balance } of accounts)
      console.log(`${account.padEnd(7)} ${String(postings).padStart(9)} ${(balance / 100).toFixed(2).padStart(14)}`)
    const sum = accounts.reduce((total, { balance }) => total + balance, 0)
    console.log(`${'sum'.padEnd(17)} ${(sum / 100).toFixed(2).padStart(14)}\n`)
    console.log(wrong.length === 0 ? 'exact' : `not exact: ${wrong.join(', ')}`)
    return wrong.length === 0
  } finally {
    await bank.close()
  }
}
