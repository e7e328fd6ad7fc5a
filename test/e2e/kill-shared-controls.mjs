/**
 * The negative controls of shared files, on the `leveldb` backend: three processes of the chain job, of which the later
 * ones delete too early or never. The honest run must leave what it should, the broken one must be found out.
 */
import { chainProcess, verifyChainOutput } from './kill-chain.mjs'
import { Leftovers } from './kill-leftovers.mjs'
import { chainJobOf, placed } from './kill-plan.mjs'

/** By name: what is found out. */
const CONTROLS = {
  'delete-early': /, which chk-\d+ names, is missing/,
  'never-delete': /at the end shared file .* is there/,
}

export const SHARED_CONTROL_NAMES = Object.keys(CONTROLS)

/** At another parallelism than the one before, each process begins new files, and the old ones are soon named by nobody. */
const LIVES = [
  { parallelism: 2, plan: { killAt: 'checkpoint.completed:6:1' } },
  { parallelism: 3, plan: { killAt: 'checkpoint.completed:2:8' } },
  { parallelism: 2, plan: { killAt: 'checkpoint.completed:7:8' } },
  { parallelism: 3, plan: {} },
]

/** As negativeControl of kill-controls.mjs. */
export async function sharedControl(name, { seed, folderOf, say, honestRuns }) {
  const run = async (how, fault) => {
    const { asPlanned, verdict, problems } = await lives(folderOf(`${name}-${how}-the-fault`), seed, fault)
    say(
      `${name}, chain ${how} the fault: ${JSON.stringify({ asPlanned, exact: verdict.exact, problems: problems.slice(0, 3) })}`,
    )
    return { isWhole: asPlanned && verdict.exact && problems.length === 0, problems }
  }
  if (!honestRuns.has('shared')) honestRuns.set('shared', run('without', undefined))
  const honest = await honestRuns.get('shared')
  const broken = await run('with', name)
  return honest.isWhole && broken.problems.some((what) => CONTROLS[name].test(what))
}

async function lives(folder, seed, fault) {
  const { settings: drawn } = placed(chainJobOf(seed, 0), 1, { backend: 'leveldb', retained: 3 })
  const settings = { ...drawn, sink: 'file', intervalMs: 50, rate: 30_000, records: 50_000 }
  const leftovers = new Leftovers(folder)
  let asPlanned = true
  for (const [life, { parallelism, plan }] of LIVES.entries()) {
    const isLast = life === LIVES.length - 1
    const end = await chainProcess(folder, { ...settings, parallelism }, life === 0 ? plan : { ...plan, fault })
    asPlanned &&= isLast ? end.code === 0 : end.killed
    if (end.killed) leftovers.killed(life, end.evidence)
  }
  leftovers.ended({ least: 0, most: 0 })
  return { asPlanned, verdict: await verifyChainOutput(folder, settings), problems: leftovers.problems }
}
