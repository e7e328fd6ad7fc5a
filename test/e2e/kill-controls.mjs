/**
 * The negative controls of the kill test: the same kill twice, without and with a fault. The honest run must be exact, the
 * broken one must be found out. Kills at random miss the window of `commit-early`; the hook hits it.
 */
import { join } from 'node:path'
import { chainProcess, verifyChainOutput } from './kill-chain.mjs'
import { Feed } from './kill-feed.mjs'
import { endingIt, feedingUntilDeath, followedProcess, verifyFollowedOutput } from './kill-followed.mjs'
import { chainJobOf, followedJobOf } from './kill-plan.mjs'

/** Where the first process dies: behind a commit; when all six writers of its sixth checkpoint are ready for the commit. */
const KILL_AT = { chain: 'commit.ended:8', followed: 'sink.durable:36' }

/** A broken job that stands still for so long has done what it can. Damage that time cannot mend is not waited for. */
const FAULTY_MS = 4000

/** By name and job: what is changed in the first and the second process, and which parts must be wrong, and right, then. */
const CONTROLS = {
  'no-restore': {
    chain: { second: { resume: false } },
    followed: { second: { resume: false }, parts: { wrong: ['events', 'invalid'] } },
  },
  'commit-early': {
    // Committed, and killed before the checkpoint is durable.
    chain: { killAt: 'sink.prepared:8', sink: 'ledger', first: { commitEarly: true }, second: { commitEarly: true } },
    followed: {
      first: { fault: 'commit-early' },
      second: { fault: 'commit-early' },
      parts: { wrong: ['events'] },
    },
  },
  'drop-timers': {
    followed: {
      second: { fault: 'drop-timers' },
      parts: { wrong: ['windows'], right: ['events', 'numbers', 'invalid'] },
    },
  },
  'forget-union': {
    followed: {
      second: { fault: 'forget-union' },
      parts: { wrong: ['numbers'] },
    },
  },
}

export const CONTROL_NAMES = Object.keys(CONTROLS)

/**
 * Whether the verifier finds the fault of this name in each job that has it. `folderOf(name)` makes a folder, `say` tells
 * of each run, `honestRuns` is a map that may be shared: the same run without a fault is not repeated.
 */
export async function negativeControl(name, { seed, folderOf, say, honestRuns }) {
  let caught = true
  for (const [job, fault] of Object.entries(CONTROLS[name])) {
    const { killAt = KILL_AT[job], parts = {}, first, second } = fault
    const run = async (how, plans) => {
      const folder = folderOf(`${name}-${job}-${how.replaceAll(' ', '-')}`)
      const { ends, verdict } = await JOBS[job].run(folder, { seed, fault, ...plans })
      const asPlanned = ends[0].killed && ends[1].code === JOBS[job].endsWith
      if (!asPlanned) say(ends.map(({ ending, stderr }) => `${job} ${how}: ${ending}\n${stderr}`).join('\n'))
      say(`${name}, ${job} ${how}: ${JSON.stringify(verdict)}`)
      return { asPlanned, verdict }
    }
    const same = `${job} ${killAt} ${fault.sink}`
    if (!honestRuns.has(same)) honestRuns.set(same, run('without the fault', { first: { killAt }, second: {} }))
    const honest = await honestRuns.get(same)
    const broken = await run('with the fault', { first: { killAt, ...first }, second: { ...second } })
    const found =
      !broken.verdict.exact &&
      Object.entries(broken.verdict.parts ?? {}).every(([part, counts]) => isAsItMust(parts, part, counts))
    const isCaught = honest.asPlanned && honest.verdict.exact && broken.asPlanned && found
    say(`${name}: ${isCaught ? 'found' : 'NOT found'} by the verifier in the ${job} job`)
    caught &&= isCaught
  }
  return caught
}

const JOBS = {
  chain: {
    endsWith: 0,
    async run(folder, { seed, fault: { sink = 'file' }, first, second }) {
      const drawn = chainJobOf(seed, 0).settings
      const settings = { ...drawn, sink, parallelism: 2, intervalMs: 50, rate: 30_000, records: 12_000 }
      const ends = [await chainProcess(folder, settings, first), await chainProcess(folder, settings, second)]
      return { ends, verdict: await verifyChainOutput(folder, settings) }
    },
  },
  followed: {
    endsWith: 143,
    async run(folder, { seed, first, second }) {
      const job = followedJobOf(seed, 0)
      const settings = { ...job.settings, parallelism: 2, intervalMs: 50 }
      const feed = new Feed(join(folder, 'input'), { records: 2000, random: job.feedRandom })
      const end = endingIt(feed, folder, { patienceMs: second.fault === undefined ? undefined : FAULTY_MS })
      const ends = [
        await followedProcess(folder, settings, { ...first, attend: feedingUntilDeath(feed) }),
        await followedProcess(folder, { ...settings, parallelism: 3 }, { ...second, attend: end }),
      ]
      return { ends, verdict: await verifyFollowedOutput(folder) }
    },
  },
}

/** Of the named parts something is wrong; of those the fault does not touch nothing is, or it is another fault. */
function isAsItMust({ wrong = [], right = [] }, part, counts) {
  const sum = counts.lost + counts.duplicated + counts.altered + counts.unexpected + counts.outOfOrder
  return (!wrong.includes(part) || sum > 0) && (!right.includes(part) || sum === 0)
}
