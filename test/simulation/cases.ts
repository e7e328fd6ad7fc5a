/**
 * Runs many cases of one kind, each with a name; the first that goes wrong is told with the one command that repeats it.
 * With MILLRACE_SIMULATION_ONLY=<name> just that case is run, and the traces of its processes are printed.
 */
import { expect } from 'vitest'
import type { History } from './lives.ts'

export interface Case {
  readonly name: string
  run(): Promise<History>
}

/** Returns the histories' numbers. Fails at the first case with a problem. */
export async function runCases(file: string, cases: Iterable<Case>): Promise<{ cases: number; lives: number }> {
  const only = process.env['MILLRACE_SIMULATION_ONLY']
  const counted = { cases: 0, lives: 0 }
  for (const { name, run } of cases) {
    if (only !== undefined && only !== name) continue
    const history = await run()
    if (only !== undefined) for (const [index, { world }] of history.lives.entries()) printTrace(index, world.trace)
    counted.cases++
    counted.lives += history.lives.length
    if (history.problems.length > 0) expect.fail(account(file, name, history))
  }
  return counted
}

function account(file: string, name: string, { problems, lives }: History): string {
  const ends = lives.map(({ outcome, operations }) => {
    const error = outcome.type === 'threw' ? `: ${String(outcome.error)}` : ''
    return `${outcome.type} after ${operations} operations${error}`
  })
  return [
    `case "${name}":`,
    ...problems,
    ...ends.map((end, index) => `process ${index + 1} ${end}`),
    `MILLRACE_SIMULATION_ONLY='${name}' npx vitest run test/simulation/${file}`,
  ].join('\n')
}

/** One line on the terminal, for whoever wants the figures of a run. */
export function say(line: string): void {
  process.stdout.write(`simulation: ${line}\n`)
}

function printTrace(index: number, trace: readonly string[]): void {
  process.stdout.write(`process ${index + 1}\n${trace.join('\n')}\n`)
}
