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

export interface Counts {
  cases: number
  lives: number
  /** Checkpoints that were reported complete. */
  checkpoints: number
  restarts: number
  /** Processes by how they ended. */
  readonly ends: Record<'returned' | 'threw' | 'died' | 'hung', number>
}

/** Returns what was met on the way. Fails at the first case with a problem. */
export async function runCases(file: string, cases: Iterable<Case>): Promise<Counts> {
  const only = process.env.MILLRACE_SIMULATION_ONLY
  const counted: Counts = {
    cases: 0,
    lives: 0,
    checkpoints: 0,
    restarts: 0,
    ends: { returned: 0, threw: 0, died: 0, hung: 0 },
  }
  for (const { name, run } of cases) {
    if (only !== undefined && only !== name) continue
    const history = await run()
    if (only !== undefined) for (const [index, { world }] of history.lives.entries()) printTrace(index, world.trace)
    counted.cases++
    for (const { outcome, events } of history.lives) {
      counted.lives++
      counted.ends[outcome.type]++
      counted.checkpoints += events.filter(({ type }) => type === 'checkpoint.completed').length
      counted.restarts += events.filter(({ type }) => type === 'restart.scheduled').length
    }
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
