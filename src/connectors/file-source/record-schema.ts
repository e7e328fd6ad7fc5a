/**
 * What checks a value and gives it its type: a function of the user, or the schema of any library that speaks Standard
 * Schema (version 1). Only the part of that contract that is used is declared here.
 */
import { StreamError } from '../../base/errors.ts'
import { Fatal } from './line-decoder.ts'

/** Checks a value and gives it its type; a throw makes the record invalid. */
export type RecordSchema<T> = ((value: unknown) => T) | StandardSchema<T>

/** A schema of zod, valibot, arktype and others; it must answer at once. */
export interface StandardSchema<out T> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    /** Of one value. A promise is refused: a record is checked at once. */
    readonly validate: (value: unknown) => StandardResult<T> | Promise<StandardResult<T>>
    readonly types?: { readonly input: unknown; readonly output: T } | undefined
  }
}

export type StandardResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] }

export interface StandardIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What comes out of a schema. */
export type SchemaOutput<S> =
  S extends StandardSchema<infer T>
    ? T
    : S extends (value: unknown) => infer T
      ? T extends PromiseLike<unknown>
        ? never
        : T
      : never

/** A schema's issues, as an error: `message` has them all. */
class SchemaRefusal extends Error {
  readonly issues: readonly StandardIssue[]
  constructor(issues: readonly StandardIssue[]) {
    super(issues.map(describeIssue).join('; '))
    this.issues = issues
  }
}

/** What a schema does with a value. INVALID_ARGUMENT when it is none. */
export function checkWith<T>(schema: RecordSchema<T>): (value: unknown) => T {
  // Schemas of some libraries are functions as well.
  const standard = isObjectLike(schema) ? (schema as Partial<StandardSchema<T>>)['~standard'] : undefined
  if (standard !== undefined && typeof standard.validate === 'function') return checkByStandard(standard)
  if (typeof schema !== 'function')
    throw new StreamError('INVALID_ARGUMENT', {
      message: `FileSource: \`schema\` is ${schema === null ? 'null' : `of type ${typeof schema}`}.`,
      hint: 'Give a function (value) => T, or a Standard Schema, such as one of zod, valibot or arktype.',
      details: { option: 'schema' },
    })
  return (value) => {
    const result = schema(value)
    if (isPromise(result)) throw promised(result)
    return result
  }
}

function checkByStandard<T>(standard: StandardSchema<T>['~standard']): (value: unknown) => T {
  return (value) => {
    const result = standard.validate(value)
    if (isPromise(result)) throw promised(result)
    if (result.issues !== undefined) throw new SchemaRefusal(result.issues)
    return result.value
  }
}

export function issuesOf(problem: unknown): readonly string[] | undefined {
  return problem instanceof SchemaRefusal ? problem.issues.map(describeIssue) : undefined
}

function describeIssue({ message, path = [] }: StandardIssue): string {
  const keys = path.map((part) => String(isObjectLike(part) ? (part as { key: PropertyKey }).key : part))
  return keys.length === 0 ? message : `${keys.join('.')}: ${message}`
}

function promised(result: PromiseLike<unknown>): Fatal {
  // Nobody waits for it.
  result.then(undefined, () => {})
  return new Fatal(
    new StreamError('FUNCTION_RESULT_INVALID', {
      message: 'The `schema` of a FileSource returned a promise.',
      hint: 'A record is checked synchronously: use a schema without asynchronous checks.',
      details: { function: 'schema' },
    }),
  )
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return isObjectLike(value) && typeof (value as { then?: unknown }).then === 'function'
}

function isObjectLike(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
