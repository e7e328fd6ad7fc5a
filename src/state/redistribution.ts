/** How operator state comes to the subtasks at a restore. Pure functions over elements of any kind. */
import { StreamError } from '../base/errors.ts'

/** `split`: dealt out. `union`: all elements to everybody. `broadcast`: everybody one of the equal copies. */
export type RedistributionMode = 'split' | 'union' | 'broadcast'

/** One state of one subtask. */
export interface OperatorListState<E> {
  readonly name: string
  readonly mode: RedistributionMode
  readonly elements: readonly E[]
  /** Where elements are bytes: what reads them. */
  readonly serializer?: { readonly id: string; readonly version: number } | undefined
}

/**
 * `reported`: by old subtask, its states, or undefined for one that reported nothing; its length is the old parallelism.
 * Gives by new subtask every state, those without elements included, in the order in which the names first appear.
 * Throws STATE_INCOMPATIBLE when subtasks disagree about the mode or the serializer of a name.
 */
export function redistributeOperatorState<S extends OperatorListState<unknown>>(
  reported: readonly (readonly S[] | undefined)[],
  newParallelism: number,
): readonly (readonly S[])[] {
  const result: S[][] = Array.from({ length: newParallelism }, () => [])
  const sameParallelism = reported.length === newParallelism
  let next = 0
  for (const name of namesOf(reported)) {
    const copies = reported.map((states) => states?.find((state) => state.name === name))
    const first = oneKind(copies)
    const { shares, continueAt } = sharesOf(first.mode, copies, newParallelism, sameParallelism, next)
    next = continueAt
    shares.forEach((elements, subtask) => void result[subtask]?.push({ ...first, elements }))
  }
  return result
}

function sharesOf(
  mode: RedistributionMode,
  copies: readonly (OperatorListState<unknown> | undefined)[],
  parallelism: number,
  sameParallelism: boolean,
  next: number,
): { readonly shares: readonly (readonly unknown[])[]; readonly continueAt: number } {
  const reporters = copies.filter((copy) => copy !== undefined)
  const all = reporters.flatMap(({ elements }) => elements)
  const everybody = (elementsOf: (subtask: number) => readonly unknown[]) => ({
    shares: Array.from({ length: parallelism }, (_, subtask) => elementsOf(subtask)),
    continueAt: next,
  })
  if (mode === 'union') return everybody(() => all)
  if (mode === 'broadcast') return everybody((subtask) => reporters[subtask % reporters.length]?.elements ?? [])
  if (sameParallelism) return everybody((subtask) => copies[subtask]?.elements ?? [])
  return deal(all, parallelism, next)
}

/** Contiguous slices from subtask `next` on, round once; the first of the round take one more while there is a remainder. */
function deal(
  all: readonly unknown[],
  parallelism: number,
  next: number,
): { readonly shares: readonly (readonly unknown[])[]; readonly continueAt: number } {
  const shares: (readonly unknown[])[] = Array.from({ length: parallelism }, () => [])
  const base = Math.floor(all.length / parallelism)
  const remainder = all.length % parallelism
  let from = 0
  for (let turn = 0; turn < parallelism; turn++) {
    const to = from + base + (turn < remainder ? 1 : 0)
    shares[(next + turn) % parallelism] = all.slice(from, to)
    from = to
  }
  return { shares, continueAt: (next + remainder) % parallelism }
}

function namesOf(reported: readonly (readonly OperatorListState<unknown>[] | undefined)[]): readonly string[] {
  return [...new Set(reported.flatMap((states) => (states ?? []).map(({ name }) => name)))]
}

function oneKind<S extends OperatorListState<unknown>>(copies: readonly (S | undefined)[]): S {
  const reported = copies.filter((copy) => copy !== undefined)
  const [first] = reported as [S]
  const other = reported.find((copy) => kindOf(copy) !== kindOf(first))
  if (other === undefined) return first
  throw new StreamError('STATE_INCOMPATIBLE', {
    message: `Operator state '${first.name}' was stored as ${kindOf(first)} by one subtask and as ${kindOf(other)} by another.`,
    hint: 'All subtasks of a checkpoint run the same program; this one was put together from several.',
    details: { state: first.name },
  })
}

function kindOf({ mode, serializer }: OperatorListState<unknown>): string {
  return serializer === undefined ? mode : `${mode} by serializer '${serializer.id}' version ${serializer.version}`
}
