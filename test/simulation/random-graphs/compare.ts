/** Compares what came out of the processes of a plan with what the oracle says, sink by sink, and says how they differ. */
import type { SimulatedDisk } from '../../../src/base/simulated-disk.ts'
import { arriving, evaluate } from './oracle.ts'
import type { OutsideSink, ReadByProgram } from './outside.ts'
import type { Plan } from './plan.ts'
import { type Row, text } from './records.ts'
import { nodeFacts, type StreamFacts, sourceFacts } from './stream-facts.ts'

const MOST_SHOWN = 4

export function differences(
  plan: Plan,
  outside: readonly OutsideSink[],
  read: ReadByProgram,
  disk: SimulatedDisk,
): readonly string[] {
  const streams = evaluate(plan)
  const facts = factsOf(plan)
  const problems = plan.sinks.flatMap(({ kind, input, parallelism }, nth) => {
    const expected = arriving(input, { parallelism, operation: { type: 'map' } }, streams).map(({ row }) => row)
    const contents = (outside[nth] as OutsideSink).contents(disk)
    const name = `sink ${nth} (${kind}, of stream ${input.stream})`
    if ('lives' in contents) return ofLives(name, contents.lives, expected)
    return [
      ...ofRows(name, contents.rows, expected),
      ...(keepsOrder(input, facts) ? outOfOrder(name, contents.inTime) : []),
    ]
  })
  if (plan.read === undefined) return problems
  const expected = (streams[plan.read] ?? []).map(({ row }) => row)
  return [...problems, ...ofLives(`executeAndCollect of stream ${plan.read}`, read.lives, expected)]
}

/** What the sinks show for good, as text, whatever order it has come in. */
export function committed(plan: Plan, outside: readonly OutsideSink[], disk: SimulatedDisk): readonly string[] {
  return plan.sinks.flatMap((_, nth) => {
    const contents = (outside[nth] as OutsideSink).contents(disk)
    return 'lives' in contents ? [] : [`sink ${nth}`, ...contents.rows.map(text).toSorted()]
  })
}

export const keepsOrder = (
  { stream, partitioner }: Plan['sinks'][number]['input'],
  facts: readonly StreamFacts[],
): boolean => ['forward', 'global', 'customKey'].includes(partitioner) && facts[stream]?.ordered !== undefined

export function factsOf({ sources, nodes }: Plan): readonly StreamFacts[] {
  const facts = sources.map(sourceFacts)
  for (const node of nodes)
    facts.push(
      ...nodeFacts(
        node,
        node.inputs.map(({ stream }) => facts[stream] as StreamFacts),
      ),
    )
  return facts
}

function ofRows(name: string, found: readonly Row[], expected: readonly Row[]): string[] {
  const { lost, surplus } = compared(found, expected)
  return [...told(`${name} lacks`, lost), ...told(`${name} has too much`, surplus)]
}

/** A process hands out again at most what the one before may have had; none hands out a row more often than it is. */
function ofLives(name: string, lives: readonly (readonly Row[])[], expected: readonly Row[]): string[] {
  const surplus = lives.flatMap((rows) => compared(rows, expected).surplus)
  return [
    ...told(`${name} has too much in one process`, surplus),
    ...told(`${name} lacks`, compared(lives.flat(), expected).lost),
  ]
}

/** As multisets. */
function compared(found: readonly Row[], expected: readonly Row[]) {
  const counts = new Map<string, number>()
  for (const row of expected) counts.set(text(row), (counts.get(text(row)) ?? 0) + 1)
  const surplus: string[] = []
  for (const row of found) {
    const count = counts.get(text(row)) ?? 0
    if (count === 0) surplus.push(text(row))
    else counts.set(text(row), count - 1)
  }
  const lost = [...counts].flatMap(([row, count]) => Array.from({ length: count }, () => row))
  return { lost, surplus }
}

function outOfOrder(name: string, rows: readonly Row[]): string[] {
  const last = new Map<number, Row>()
  const wrong: string[] = []
  for (const row of rows) {
    const before = last.get(row.s)
    if (before !== undefined && before.q > row.q) wrong.push(`${text(before)} | ${text(row)}`)
    last.set(row.s, row)
  }
  return told(`${name} has out of order`, wrong)
}

function told(what: string, rows: readonly string[]): string[] {
  if (rows.length === 0) return []
  return [`${what} ${rows.length} rows (id s q k v t): ${rows.slice(0, MOST_SHOWN).join(', ')}`]
}
