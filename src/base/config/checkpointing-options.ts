/** Options of checkpoints and of starting from one. Flink's keys, defaults and older names. */
import type { OptionDefinition } from './option-definition.ts'

export const CHECKPOINTING_OPTIONS = {
  'execution.checkpointing.interval': {
    area: 'checkpointing',
    type: 'duration',
    default: undefined,
    minMs: 10,
    description: 'Time between two periodic checkpoints. Not set: checkpointing is off. A longer min-pause wins.',
  },
  'execution.checkpointing.interval-during-backlog': {
    area: 'checkpointing',
    type: 'duration',
    default: undefined,
    description:
      'Interval while a source works off a backlog. 0: no periodic checkpoints meanwhile; otherwise not shorter than the interval.',
  },
  'execution.checkpointing.timeout': {
    area: 'checkpointing',
    type: 'duration',
    default: 600_000,
    minMs: 10,
    description: 'A checkpoint that is not complete after this time is aborted.',
  },
  'execution.checkpointing.min-pause': {
    area: 'checkpointing',
    type: 'duration',
    default: 0,
    description: 'Least time from the completion of one checkpoint to the next periodic one.',
  },
  'execution.checkpointing.max-concurrent-checkpoints': {
    area: 'checkpointing',
    type: 'integer',
    default: 1,
    min: 1,
    description: 'How many checkpoints may be under way at once. With unaligned checkpoints it must be 1.',
  },
  'execution.checkpointing.tolerable-failed-checkpoints': {
    area: 'checkpointing',
    type: 'integer',
    default: 0,
    min: 0,
    max: 2 ** 31 - 1,
    description: 'How many checkpoints in a row may fail before the job fails. 2147483647: any number.',
  },
  'execution.checkpointing.fail-tasks-on-errors': {
    area: 'checkpointing',
    type: 'boolean',
    default: true,
    description:
      'Whether a function that throws while a snapshot is prepared or taken fails its task, as in Flink. false: the checkpoint is declined and the task lives. Millrace’s own.',
  },
  'execution.checkpointing.mode': {
    area: 'checkpointing',
    type: 'choice',
    default: 'EXACTLY_ONCE',
    values: ['EXACTLY_ONCE', 'AT_LEAST_ONCE'],
    description: 'Whether a record may count twice in state after a failure.',
  },
  'execution.checkpointing.externalized-checkpoint-retention': {
    area: 'checkpointing',
    type: 'choice',
    default: 'NO_EXTERNALIZED_CHECKPOINTS',
    values: ['NO_EXTERNALIZED_CHECKPOINTS', 'DELETE_ON_CANCELLATION', 'RETAIN_ON_CANCELLATION'],
    description:
      'Which checkpoints outlive a job that was cancelled or has failed. A job that finished keeps none; a suspended one keeps its last.',
  },
  'execution.checkpointing.num-retained': {
    area: 'checkpointing',
    type: 'integer',
    default: 1,
    min: 1,
    aliases: ['state.checkpoints.num-retained'],
    description: 'How many completed checkpoints are kept while the job runs.',
  },
  'execution.checkpointing.unaligned.enabled': {
    area: 'checkpointing',
    type: 'boolean',
    default: false,
    aliases: ['execution.checkpointing.unaligned'],
    description:
      'Barriers may overtake records, which become part of the checkpoint: it completes also where records are processed slowly. Needs EXACTLY_ONCE and one checkpoint at a time. Savepoints stay aligned.',
  },
  'execution.checkpointing.aligned-checkpoint-timeout': {
    area: 'checkpointing',
    type: 'duration',
    default: 0,
    aliases: ['execution.checkpointing.alignment-timeout'],
    description:
      'A checkpoint starts aligned and becomes unaligned after this time. 0: unaligned at once. Read only where unaligned checkpoints are on.',
  },
  'execution.checkpointing.unaligned.forced': {
    area: 'checkpointing',
    type: 'boolean',
    default: false,
    effect: 'never',
    description: 'For iterative jobs, which do not exist here: without effect.',
  },
  'execution.checkpointing.unaligned.max-in-flight-size': {
    area: 'checkpointing',
    type: 'memory',
    default: 64 * 1024 * 1024,
    minBytes: 1024,
    description:
      'How much of the records in flight one subtask may store with an unaligned checkpoint; one with more is declined. Millrace’s own.',
  },
  'execution.checkpointing.recover-without-channel-state.checkpoint-id': {
    area: 'checkpointing',
    type: 'integer',
    default: -1,
    min: -1,
    description:
      'Starting from the checkpoint of this id drops the records in flight that it holds: they are lost. For a checkpoint whose records cannot be read any more.',
  },
  'execution.checkpointing.checkpoints-after-tasks-finish': {
    area: 'checkpointing',
    type: 'boolean',
    default: true,
    aliases: ['execution.checkpointing.checkpoints-after-tasks-finish.enabled'],
    description: 'Checkpoints go on when a part of the tasks has finished, and the end of a job waits for a final one.',
  },
  'execution.checkpointing.dir': {
    area: 'checkpointing',
    type: 'text',
    default: undefined,
    aliases: ['state.checkpoints.dir'],
    description:
      'Folder or file URI of the checkpoints; every job has a folder of its own in it. Not set: checkpoints live in memory and end with the process.',
  },
  'execution.checkpointing.savepoint-dir': {
    area: 'checkpointing',
    type: 'text',
    default: undefined,
    aliases: ['state.savepoints.dir'],
    description: 'Folder or file URI of savepoints for which none is named.',
  },
  'execution.checkpointing.storage': {
    area: 'checkpointing',
    type: 'choice',
    default: undefined,
    values: ['jobmanager', 'filesystem'],
    aliases: ['state.checkpoint-storage'],
    description:
      'In memory (jobmanager) or in the checkpoint folder (filesystem). Not set: filesystem where there is a folder.',
  },
  'execution.checkpointing.incremental': {
    area: 'checkpointing',
    type: 'boolean',
    default: true,
    aliases: ['state.backend.incremental'],
    description:
      'A checkpoint writes only what changed. Without effect on the hashmap backend. Flink’s default is false.',
  },
  'execution.checkpointing.data-inline-threshold': {
    area: 'checkpointing',
    type: 'memory',
    default: 20_480,
    maxBytes: 1_048_576,
    aliases: ['state.storage.fs.memory-threshold'],
    description:
      'Pieces of state up to this size are written into the metadata of the checkpoint instead of a file of their own.',
  },
  'execution.state-recovery.path': {
    area: 'checkpointing',
    type: 'text',
    default: undefined,
    aliases: ['execution.savepoint.path'],
    description: 'Savepoint or checkpoint that the job starts from: its folder or its _metadata file.',
  },
  'execution.state-recovery.ignore-unclaimed-state': {
    area: 'checkpointing',
    type: 'boolean',
    default: false,
    aliases: ['execution.savepoint.ignore-unclaimed-state'],
    description:
      'Start also where the savepoint holds state of an operator that the job does not have; that state is lost.',
  },
  'execution.state-recovery.claim-mode': {
    area: 'checkpointing',
    type: 'choice',
    default: 'NO_CLAIM',
    values: ['NO_CLAIM', 'CLAIM'],
    aliases: ['execution.savepoint-restore-mode'],
    description:
      'NO_CLAIM: the files that the job starts from stay yours. CLAIM: they belong to the job, which deletes them when they are not needed any more.',
  },
} as const satisfies Record<string, OptionDefinition>
