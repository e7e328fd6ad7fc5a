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
  /** What was asked for is a feature that this version does not have. */
  UNSUPPORTED: final,
  /** A trace given to a replay function holds a step that does not exist. */
  TRACE_INVALID: final,
  /** `millrace/testing`: something was used in a way that cannot work. */
  TEST_MISUSE: final,
  /** verifyOperator: the variants of one run do not give the same result. */
  VERIFICATION_FAILED: final,
  /** A mini cluster has nothing left to do, or goes on for ever, and what was waited for has not come. */
  SIMULATION_STUCK: final,
  /** The simulated process of a mini cluster was killed. */
  PROCESS_KILLED: final,
  /** Thrown on purpose, by a fault of `millrace/testing`. */
  FAULT_INJECTED: again,
  /** A user's function returned what it must not: a promise, a generator, a value that would be lost. */
  FUNCTION_RESULT_INVALID: final,
  /** A custom partitioner chose a partition that does not exist. */
  PARTITION_INVALID: final,
  /** Keyed state or a timer was used on a stream without key. */
  NO_KEYED_STATE: final,
  /** A user's function threw. */
  USER_FUNCTION_FAILED: again,
  /** A checkpoint or savepoint that somebody asked for was not triggered, or aborted. */
  CHECKPOINT_FAILED: again,
  /** More checkpoints failed in a row than the job tolerates, or one that it cannot do without. */
  CHECKPOINT_FAILURES_EXCEEDED: again,
  /** The disk refused: no space, no permission, input/output error. */
  FILE_ERROR: again,
  /** A sink's committer refused a committable, or used up its retries. */
  COMMIT_FAILED: again,
  COMMIT_TIMED_OUT: again,
  COMMITTABLES_MISSING: again,
  /** The options of a restart strategy contradict Flink's rules. */
  RESTART_STRATEGY_INVALID: final,
  /** A cancelled task did not end in time: a second attempt would run beside it. */
  TASK_CANCELLATION_TIMED_OUT: final,
  /** The program: what it declared cannot be run, or an argument is not legal. */
  DUPLICATE_UID: final,
  EMPTY_JOB: final,
  FOREIGN_STREAM: final,
  INVALID_ARGUMENT: final,
  PARALLELISM_ABOVE_MAXIMUM: final,
  /** Whoever reads the events of a job is too far behind. */
  EVENTS_LOST: final,
  /** Results of executeAndCollect: read twice, or about to be handed out twice. */
  RESULTS_COME_ONCE: final,
  MAX_PARALLELISM_CHANGED: final,
  /** A checkpoint holds state that finds no place in the program. */
  STATE_NOT_RESTORED: final,
  UNEQUAL_PARALLELISM: final,
  /** Serialisation and keys. */
  NOT_SERIALIZABLE: final,
  NOT_DESERIALIZABLE: final,
  INVALID_KEY: final,
  /** State and timers. */
  NO_CURRENT_KEY: final,
  STATE_CONFLICT: final,
  STATE_CORRUPT: final,
  STATE_INCOMPATIBLE: final,
  STATE_READ_ONLY: final,
  STATE_UNKNOWN: final,
  /** Checkpoints and savepoints: what is on the disk is not what was written there. */
  CHECKPOINT_CLAIMED: final,
  CHECKPOINT_DAMAGED: final,
  CHECKPOINT_DISCARDED: again,
  CHECKPOINT_FOREIGN: final,
  CHECKPOINT_MISSING: final,
  CHECKPOINT_VERSION: final,
  IN_FLIGHT_TOO_LARGE: again,
  /** The one writer of a job's directory. */
  JOB_FENCED: final,
  JOB_IN_USE: final,
  /** Which job to go on with, and from what. */
  JOB_AMBIGUOUS: final,
  JOB_NOTHING_KEPT: final,
  JOB_RECORD_DAMAGED: final,
  JOB_RECORD_EXISTS: final,
  RESUME_NEEDS_DIRECTORY: final,
  /** Where checkpoints are to be stored. */
  STORAGE_LOCATION: final,
  /** Configuration, the command line and job files. */
  COMMAND_INVALID: final,
  CONFIG_FILE_MISSING: final,
  CONFIG_INVALID: final,
  JOB_FILE_FAILED: final,
  JOB_FILE_INVALID: final,
  JOB_NOT_STARTED: final,
  VERSIONS_DIFFER: final,
  /** Commands that speak to a REST interface, and what comes back from it. */
  REST_ANSWER_INVALID: final,
  REST_OPERATION_FAILED: final,
  REST_REFUSED: final,
  REST_TIMED_OUT: final,
  REST_UNREACHABLE: final,
  /** The REST server: it does not listen, and would be open to everybody. */
  REST_NOT_LISTENING: final,
  REST_UNPROTECTED: final,
  /** Sources: the input, and what a user's source gives. */
  INPUT_DAMAGED: final,
  INPUT_MISSING: final,
  RECORD_INVALID: final,
  SOURCE_CHANGED: final,
  SOURCE_ENDED: final,
  SOURCE_INVALID: final,
  TIMESTAMP_INVALID: final,
  /** Sinks: records that cannot be written, and files that are not what was written. */
  RECORD_NOT_WRITABLE: final,
  SINK_FILE_CONFLICT: final,
  SINK_FILE_MISSING: final,
} as const satisfies Record<string, CodeFacts>

/** Of a `StreamError`; docs/ERRORS.md has a paragraph for each. */
export type ErrorCode = keyof typeof ERROR_CODES
