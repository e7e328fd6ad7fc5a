/** Every error code, one line each. docs/ERRORS.md has a paragraph for each; a test compares the two. */
interface CodeFacts {
  /** Whether a restart from the last checkpoint can make it go away. */
  readonly restartHelps: boolean
}

const again: CodeFacts = { restartHelps: true }
const final: CodeFacts = { restartHelps: false }

export const ERROR_CODES = {
  /** A rule of the house was broken: a defect of Millrace itself. */
  INTERNAL: final,
  /** What failed the job stands in `cause`. */
  JOB_FAILED: final,
  JOB_CANCELED: final,
  JOB_SUSPENDED: final,
  /** A user's function threw. */
  USER_FUNCTION_FAILED: again,
  /** The disk refused: no space, no permission, input/output error. */
  FILE_ERROR: again,
} as const satisfies Record<string, CodeFacts>

export type ErrorCode = keyof typeof ERROR_CODES
