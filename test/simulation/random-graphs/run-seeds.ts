/**
 * Draws a plan from each seed and runs it. The first that goes wrong is made smaller by fast-check, and told with the one
 * command that repeats it and the plan in readable form. MILLRACE_GRAPH_ONLY=<seed> runs that seed alone;
 * MILLRACE_GRAPH_FIRST=<seed> begins there instead of with 1.
 */
import fc from 'fast-check'
import { type Draw, draws } from './draws.ts'
import { type Length, makePlan } from './make-plan.ts'
import type { Plan } from './plan.ts'
import { readable } from './readable.ts'
import { runPlan } from './run-plan.ts'
import { tallyPlan } from './tally-plan.ts'
import { Tally } from './trouble.ts'

const FOLDER = 'test/simulation/random-graphs'
/** For making a plan smaller. */
const MOST_SHRINKING_MS = 60_000

export interface SeedsRun {
  readonly tally: Tally
  /** Undefined: all were exact. */
  readonly failure: string | undefined
}

/** `seeds`: these, or so many from MILLRACE_GRAPH_FIRST on. */
export async function runSeeds(seeds: number | readonly number[], length: Length = 'bounded'): Promise<SeedsRun> {
  const tally = new Tally()
  const only = process.env.MILLRACE_GRAPH_ONLY
  const first = Number(process.env.MILLRACE_GRAPH_FIRST ?? 1)
  const several = typeof seeds === 'number' ? Array.from({ length: seeds }, (_, index) => first + index) : seeds
  const all = only === undefined ? several : [Number(only)]
  for (const seed of all) {
    const failure = await runSeed(seed, length, tally)
    if (failure !== undefined) return { tally, failure }
  }
  return { tally, failure: undefined }
}

/** The plan that a seed stands for. */
export const planOf = (seed: number): Plan => makePlan(fc.sample(draws, { seed, numRuns: 1 })[0] as Draw)

async function runSeed(seed: number, length: Length, tally: Tally): Promise<string | undefined> {
  const found = await fc.check(
    fc.asyncProperty(draws, async (draw) => {
      const plan = makePlan(draw, length)
      tallyPlan(plan, tally)
      const log: string[] = []
      const problems = await runPlan(plan, tally, { log })
      if (process.env.MILLRACE_GRAPH_ONLY !== undefined && problems.length === 0)
        process.stdout.write(`${log.join('\n')}\n`)
      if (problems.length > 0) throw new Error(problems.join('\n'))
    }),
    { seed, numRuns: 1, interruptAfterTimeLimit: MOST_SHRINKING_MS, markInterruptAsFailure: false },
  )
  if (!found.failed) return undefined
  const smallest = found.counterexample === null ? undefined : makePlan(found.counterexample[0], length)
  return [
    `seed ${seed}: ${(found.errorInstance as Error | null)?.message ?? 'it failed'}`,
    `made smaller ${found.numShrinks} times:`,
    ...(smallest === undefined ? [] : readable(smallest)),
    `MILLRACE_GRAPH_ONLY=${seed} npx vitest run ${FOLDER}/${length === 'bounded' ? 'random' : 'followed'}-graphs`,
  ].join('\n')
}
