/** Compares what two runs of an operator came to, and says in lines where they differ. */
import { inspect, isDeepStrictEqual } from 'node:util'
import { NO_TIMESTAMP } from '../elements/stream-element.ts'
import type { Emitted } from './parallel-operator.ts'
import type { TrialResult } from './verify-trial.ts'
import type { Variant } from './verify-variants.ts'

export interface Difference {
  /** Behind which step it shows. */
  readonly step: number
  /** Lines: `- ` is missing, `+ ` is too much. */
  readonly lines: string
}

/** Undefined where they are the same. Between subtasks there is no order. */
export function differenceOf(
  expected: TrialResult,
  got: TrialResult,
  variant: Variant,
  timeIsFree: boolean,
): Difference | undefined {
  if (timeIsFree) return differenceOf(withoutTime(expected), withoutTime(got), variant, false)
  const bunched = variant.feeding === 'allAtOnce'
  const ordered = variant.parallelism(0) === 1 && variant.parallelism(1) === 1
  let open: readonly Emitted[] = []
  for (const [step, emitted] of got.entries()) {
    open = [...open, ...(expected[step] ?? [])]
    // What came of a bunch stands behind its last item; the items before it have nothing then.
    if (bunched && emitted.length === 0 && step < got.length - 1 && open.length > 0) continue
    const [one, other] = [open, emitted].map((elements) => (ordered ? elements : sorted(elements))) as [
      Emitted[],
      Emitted[],
    ]
    open = []
    if (!isDeepStrictEqual(one, other)) return { step, lines: linesBetween(one.map(textOf), other.map(textOf)) }
  }
  return undefined
}

function withoutTime(result: TrialResult): TrialResult {
  return result.map((emitted) => emitted.filter(({ type }) => type === 'record' || type === 'side'))
}

/** The values of records, or anything else in a list. */
export function differenceOfLists(expected: readonly unknown[], got: readonly unknown[]): string | undefined {
  if (isDeepStrictEqual(expected, got)) return undefined
  return linesBetween(
    expected.map((value) => inspect(value)),
    got.map((value) => inspect(value)),
  )
}

function sorted(elements: readonly Emitted[]): readonly Emitted[] {
  const keyed = elements.map((element) => [inspect(element, { depth: null, sorted: true }), element] as const)
  return keyed.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0)).map(([, element]) => element)
}

function textOf(element: Emitted): string {
  switch (element.type) {
    case 'watermark':
      return `watermark ${element.timestamp}`
    case 'idle':
      return element.idle ? 'idle' : 'active'
    default: {
      const at = element.timestamp === NO_TIMESTAMP ? '' : ` at ${element.timestamp}`
      return `${element.type === 'side' ? `side output "${element.tag}": ` : ''}${inspect(element.value)}${at}`
    }
  }
}

/** Both lists as one, by their longest common part. */
function linesBetween(expected: readonly string[], got: readonly string[]): string {
  const lengths = Array.from({ length: expected.length + 1 }, () => new Array<number>(got.length + 1).fill(0))
  const at = (one: number, other: number) => lengths[one]?.[other] ?? 0
  for (let one = expected.length - 1; one >= 0; one--)
    for (let other = got.length - 1; other >= 0; other--)
      (lengths[one] as number[])[other] =
        expected[one] === got[other] ? at(one + 1, other + 1) + 1 : Math.max(at(one + 1, other), at(one, other + 1))
  const lines: string[] = []
  let one = 0
  let other = 0
  while (one < expected.length || other < got.length) {
    if (one < expected.length && expected[one] === got[other]) {
      lines.push(`  ${expected[one++]}`)
      other++
    } else if (one < expected.length && (other === got.length || at(one + 1, other) >= at(one, other + 1)))
      lines.push(`- ${expected[one++]}`)
    else lines.push(`+ ${got[other++]}`)
  }
  return lines.length === 0 ? '(nothing)' : lines.join('\n')
}
