/**
 * The verifier: knows nothing of the engine and reads only finished files, those of a job's output and, for the followed
 * job, its input. Prints what it found as one JSON line; exits 0 only when nothing is lost, doubled, altered or out of order.
 *
 * node test/e2e/verify.mjs --seed 1 --records 20000 --output DIR      the chain job
 * node test/e2e/verify.mjs --input DIR --output DIR                   the followed job
 */
import { parseArgs } from 'node:util'
import { verifyChain } from './verify-chain.mjs'
import { verifyFollowed } from './verify-followed.mjs'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    records: { type: 'string' },
    input: { type: 'string' },
    output: { type: 'string' },
  },
})
const { seed, records, input, output } = values
const verdict =
  input === undefined
    ? verifyChain({ seed: Number(seed), records: Number(records), output })
    : verifyFollowed({ input, output })
console.log(JSON.stringify(verdict))
process.exitCode = verdict.exact ? 0 : 1
