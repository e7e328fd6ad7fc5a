/** Options of state, of the pipeline and of what moves records. Keys that Flink does not have are marked in their text. */
import type { OptionDefinition } from './option-definition.ts'

export const RUNTIME_OPTIONS = {
  'state.backend.type': {
    area: 'state',
    type: 'choice',
    default: 'hashmap',
    values: ['hashmap', 'leveldb'],
    synonyms: { rocksdb: 'leveldb' },
    aliases: ['state.backend'],
    description:
      'Where keyed state lives: hashmap in memory; leveldb on the local disk behind a cache, so that it may be larger than memory. rocksdb means leveldb.',
  },
  'state.backend.leveldb.cache-size': {
    area: 'state',
    type: 'memory',
    default: 256 * 1024 * 1024,
    minBytes: 0,
    description:
      'What keyed state on disk may take on the heap for its cache, in all subtasks of the job together; an estimate. What the database itself holds comes on top, a quarter of that or less. Millrace’s own.',
  },
  'state.backend.leveldb.localdir': {
    area: 'state',
    type: 'text',
    default: undefined,
    aliases: ['state.backend.rocksdb.localdir'],
    description:
      'Folder or file URI, on a local disk, in which keyed state on disk works. It holds nothing that has to outlive the process. Not set: the system’s folder for temporary files.',
  },
  'parallelism.default': {
    area: 'pipeline',
    type: 'integer',
    default: 1,
    min: 1,
    max: 32_768,
    description: 'Parallel subtasks of an operator for which the job says nothing.',
  },
  'pipeline.max-parallelism': {
    area: 'pipeline',
    type: 'integer',
    default: -1,
    min: -1,
    max: 32_768,
    description:
      'Number of key groups: the highest parallelism that the job can ever have. -1 or 0: from the parallelism by Flink’s formula, at least 128.',
  },
  'pipeline.name': {
    area: 'pipeline',
    type: 'text',
    default: undefined,
    description: 'Name of a job for which the program gives none.',
  },
  'pipeline.fixed-job-id': {
    area: 'pipeline',
    type: 'text',
    default: undefined,
    pattern: /^[0-9a-f]{32}$/,
    legal: '32 lower-case hexadecimal digits',
    aliases: ['$internal.pipeline.job-id'],
    description: 'The id of the job. Not set: drawn at random, or that of the job which is resumed.',
  },
  'pipeline.auto-watermark-interval': {
    area: 'pipeline',
    type: 'duration',
    default: 200,
    description: 'How often watermarks are generated. 0: only where a generator emits one for a record.',
  },
  'pipeline.operator-chaining.enabled': {
    area: 'pipeline',
    type: 'boolean',
    default: true,
    aliases: ['pipeline.operator-chaining'],
    description: 'Operators that follow each other one to one run as one task.',
  },
  'pipeline.object-reuse': {
    area: 'pipeline',
    type: 'boolean',
    default: false,
    effect: 'never',
    description: 'Accepted for Flink’s sake: records are never copied between chained operators, whatever it says.',
  },
  'sink.committer.retries': {
    area: 'pipeline',
    type: 'integer',
    default: 10,
    min: 0,
    max: 2 ** 31 - 1,
    description: 'How often a committable is tried again before the job fails.',
  },
  'sink.committer.timeout': {
    area: 'pipeline',
    type: 'duration',
    default: 60_000,
    minMs: 1,
    description: 'A commit that has not settled after this time fails the task. Millrace’s own.',
  },
  'execution.channel-credit': {
    area: 'pipeline',
    type: 'integer',
    default: 1024,
    min: 1,
    max: 1_048_576,
    description:
      'How many records may wait in a channel between two subtasks before the sender stands still. Millrace’s own.',
  },
  'execution.source-read-ahead': {
    area: 'pipeline',
    type: 'integer',
    default: 1000,
    min: 1,
    max: 1_048_576,
    effect: 'later',
    description:
      'How many records the reader of a `defineSource` source may fetch before they are emitted. Millrace’s own.',
  },
  'execution.blocked-loop-warning': {
    area: 'pipeline',
    type: 'duration',
    default: 1000,
    description:
      'A task that holds the event loop longer than this in one step, in a function that does not wait but computes, is logged, with the operator where it can be found: meanwhile nothing else of the process is served. At most once a minute for a task. 0: never. Millrace’s own.',
  },
  'execution.debug-freeze': {
    area: 'pipeline',
    type: 'boolean',
    default: false,
    description:
      'Deep-freezes emitted records, and values that a state is given or gives, so that strict code which changes them throws a TypeError where it does; the job then fails for good. Not found: changes of a Map or Set as such, of a Date and of typed arrays, and changes by code that is not strict. Records that go from task to task also go through the serializer of their stream and back. Slow: for tests. Millrace’s own.',
  },
} as const satisfies Record<string, OptionDefinition>
