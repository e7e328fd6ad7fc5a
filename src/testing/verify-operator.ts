/**
 * Runs an operator in every way in which a job may run it, and demands that all come to the same: item by item and all at
 * once, before an output that is full, restored behind every item, failed behind every item, at other parallelisms.
 */
import { StreamError } from '../base/errors.ts'
import { isChangeOfFrozen } from '../elements/deep-freeze.ts'
import type { OperatorFactory } from '../operators/operator.ts'
import type { Dealing, Emitted } from './parallel-operator.ts'
import { type Difference, differenceOf, differenceOfLists } from './verify-difference.ts'
import { type Item, nameOfStep, type Step, stepOf } from './verify-items.ts'
import { Trial, TrialFailure, type TrialResult } from './verify-trial.ts'
import { KEYED_VARIANTS, REFERENCE, VARIANTS, type Variant } from './verify-variants.ts'

export interface Verification<I> {
  /** What the operator is fed with. Each run gets a copy. */
  readonly input: readonly I[]
  /** The values that must come out, in order. Left out: whatever comes out item by item. */
  readonly output?: readonly unknown[] | undefined
  /** The same for side outputs, by the id of their tags; those that are not named are free. */
  readonly sideOutputs?: Readonly<Record<string, readonly unknown[]>> | undefined
  /** Of keyed ones: the number of key groups; 128 when left out. */
  readonly maxParallelism?: number | undefined
  /** As of a harness: who changes a record, or a value of a state, in place fails in the first run. Off when left out. */
  readonly debugFreeze?: boolean | undefined
}

export interface OperatorVerification extends Verification<Item> {
  /** Called for every run; `result` is what there is outside of it at the end, such as the rows that a sink has written. */
  readonly subject: () => { readonly operator: OperatorFactory; readonly result?: (() => unknown) | undefined }
  /** One entry an input. Left out: one input without a key. */
  readonly dealings?: readonly Dealing[] | undefined
  /** Whether it must look at its gate between two records; true when left out. User's functions cannot. */
  readonly obeysGate?: boolean | undefined
  /** It makes watermarks of its own, which begin anew where it is restored, as in Flink: they are not compared there. */
  readonly timeIsFree?: boolean | undefined
  /** For messages. */
  readonly name?: string | undefined
}

export interface Verified<R> {
  readonly output: readonly R[]
  /** The ways in which it was run. */
  readonly variants: readonly string[]
}

/** Rejects with VERIFICATION_FAILED: which way differs, behind which item, and how. */
export async function verifyOperator<R = unknown>(options: OperatorVerification): Promise<Verified<R>> {
  const { input, name = 'operator', dealings = [{ type: 'inTurn' }], timeIsFree = false } = options
  const keyed = dealings.some(({ type }) => type === 'byKey')
  const run = async (variant: Variant): Promise<{ result: TrialResult; outside: unknown }> => {
    const { operator, result } = options.subject()
    const steps: Step[] = [...input.map((item) => stepOf(copied(item))), { type: 'end' }]
    const underTest = { name, operator, keyed, inputs: dealings.length }
    const { obeysGate = true, maxParallelism, debugFreeze } = options
    try {
      const emitted = await new Trial(
        { underTest, dealings, obeysGate, maxParallelism, debugFreeze, steps },
        variant,
      ).run()
      return { result: emitted, outside: result?.() }
    } catch (thrown) {
      if (!(thrown instanceof TrialFailure)) throw thrown
      const changesFrozen = debugFreeze === true && isChangeOfFrozen(thrown.cause)
      const hint = changesFrozen ? HINT_FROZEN : hintOf(variant)
      throw failed(variant, `${nameOfStep(input, thrown.step)}: ${thrown.message}`, hint, thrown.cause)
    }
  }
  const reference = await run(REFERENCE)
  const output = checkedOutput<R>(reference.result, options)
  const variants = keyed ? [...VARIANTS, ...KEYED_VARIANTS] : VARIANTS
  for (const variant of variants) {
    const { result, outside } = await run(variant)
    const difference = differenceOf(reference.result, result, variant, timeIsFree && variant.after !== 'nothing')
    if (difference !== undefined) throw differs(variant, difference, input)
    const lines = differenceOfLists([reference.outside], [outside])
    if (lines !== undefined)
      throw failed(variant, `the result outside of it differs from that of "${REFERENCE.name}".\n${lines}`)
  }
  return { output, variants: [REFERENCE, ...variants].map((variant) => variant.name) }
}

/** For functions of a user, which may emit several records in one call. */
export function verifyFunction<R>(
  options: Verification<Item> & {
    readonly operator: OperatorFactory
    readonly dealings: readonly Dealing[]
    readonly name: string
  },
): Promise<Verified<R>> {
  const { operator, ...others } = options
  return verifyOperator({ ...others, obeysGate: false, subject: () => ({ operator }) })
}

function checkedOutput<R>(result: TrialResult, { output, sideOutputs = {} }: OperatorVerification): readonly R[] {
  const emitted: readonly Emitted[] = result.flat()
  const values = emitted.flatMap((element) => (element.type === 'record' ? [element.value as R] : []))
  const lines = output === undefined ? undefined : differenceOfLists(output, values)
  if (lines !== undefined) throw failed(REFERENCE, `the output is not the expected one.\n${lines}`)
  for (const [tag, wanted] of Object.entries(sideOutputs)) {
    const aside = emitted.flatMap((element) => (element.type === 'side' && element.tag === tag ? [element.value] : []))
    const differing = differenceOfLists(wanted, aside)
    if (differing !== undefined)
      throw failed(REFERENCE, `the side output "${tag}" is not the expected one.\n${differing}`)
  }
  return values
}

/** A record of a class, which cannot be copied as it is, is given as it is. */
function copied(item: Item): Item {
  try {
    return structuredClone(item)
  } catch {
    // Functions and symbols cannot be copied.
    return item
  }
}

function differs(variant: Variant, { step, lines }: Difference, input: readonly Item[]): StreamError {
  const where = nameOfStep(input, step)
  return failed(variant, `behind ${where} the result differs from that of "${REFERENCE.name}".\n${lines}`)
}

function failed(variant: Variant, what: string, hint = hintOf(variant), cause?: unknown): StreamError {
  return new StreamError('VERIFICATION_FAILED', {
    message: `Run ${variant.name}: ${what}`,
    hint,
    details: { variant: variant.name },
    ...(cause === undefined ? {} : { cause }),
  })
}

function hintOf(variant: Variant): string | undefined {
  return HINTS[variant.after] ?? (variant.outputFull ? HINT_GATE : undefined)
}

const HINT_FROZEN =
  'debugFreeze is on: a record must not be changed once it was emitted, nor a value that a state was given or gave. Make a new object.'
const HINT_GATE = 'Look for records that are emitted, or dropped, without a look at the gate.'
const HINTS: Readonly<Record<Variant['after'], string | undefined>> = {
  nothing: undefined,
  snapshot: 'Look for what snapshotState changes.',
  restore: 'Look for a field that should be state.',
  replay:
    'Look for what outlives a failure: a variable outside of the factory, or a value of the state that is changed in place.',
}
