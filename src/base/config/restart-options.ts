/** Options of restart strategies and of the end of tasks. The options of a strategy are read from the level that named it. */
import type { OptionDefinition } from './option-definition.ts'

const MAX_INT = 2 ** 31 - 1

export const RESTART_OPTIONS = {
  'restart-strategy.type': {
    area: 'restart',
    type: 'choice',
    default: undefined,
    values: ['none', 'fixed-delay', 'failure-rate', 'exponential-delay'],
    synonyms: {
      off: 'none',
      disable: 'none',
      fixeddelay: 'fixed-delay',
      failurerate: 'failure-rate',
      exponentialdelay: 'exponential-delay',
    },
    aliases: ['restart-strategy'],
    description:
      'What happens after a failure. Not set: without checkpointing no restart; with it fixed-delay with 2147483647 attempts and a delay of 1 s.',
  },
  'restart-strategy.fixed-delay.attempts': {
    area: 'restart',
    type: 'integer',
    default: 1,
    min: 0,
    max: MAX_INT,
    description: 'How many restarts the whole life of the job allows.',
  },
  'restart-strategy.fixed-delay.delay': {
    area: 'restart',
    type: 'duration',
    default: 1000,
    description: 'Time from a failure to the restart.',
  },
  'restart-strategy.failure-rate.max-failures-per-interval': {
    area: 'restart',
    type: 'integer',
    default: 1,
    min: 1,
    max: MAX_INT,
    description: 'How many failures one interval allows; one more fails the job.',
  },
  'restart-strategy.failure-rate.failure-rate-interval': {
    area: 'restart',
    type: 'duration',
    default: 60_000,
    minMs: 1,
    description: 'The interval in which failures are counted.',
  },
  'restart-strategy.failure-rate.delay': {
    area: 'restart',
    type: 'duration',
    default: 1000,
    description: 'Time from a failure to the restart.',
  },
  'restart-strategy.exponential-delay.initial-backoff': {
    area: 'restart',
    type: 'duration',
    default: 1000,
    minMs: 1,
    description: 'Time from the first failure to the restart. Not above max-backoff.',
  },
  'restart-strategy.exponential-delay.max-backoff': {
    area: 'restart',
    type: 'duration',
    default: 60_000,
    minMs: 1,
    description: 'The longest time from a failure to the restart.',
  },
  'restart-strategy.exponential-delay.backoff-multiplier': {
    area: 'restart',
    type: 'number',
    default: 1.5,
    above: 1,
    description: 'By how much each further failure lengthens the delay.',
  },
  'restart-strategy.exponential-delay.reset-backoff-threshold': {
    area: 'restart',
    type: 'duration',
    default: 3_600_000,
    minMs: 1,
    description: 'After so long without a failure the delay begins at initial-backoff again.',
  },
  'restart-strategy.exponential-delay.jitter-factor': {
    area: 'restart',
    type: 'number',
    default: 0.1,
    min: 0,
    max: 1,
    description: 'The part of the delay by which it is moved at random, up or down.',
  },
  'restart-strategy.exponential-delay.attempts-before-reset-backoff': {
    area: 'restart',
    type: 'integer',
    default: MAX_INT,
    min: 1,
    max: MAX_INT,
    description: 'How many restarts are allowed before the delay has been reset; one more failure fails the job.',
  },
  'jobmanager.execution.failover-strategy': {
    area: 'restart',
    type: 'choice',
    default: 'region',
    values: ['region', 'full'],
    description:
      'What restarts with a failed task: region, the tasks that are connected with it, whatever the direction; full, all. A failure that is no task’s, of a split enumerator for one, restarts all.',
  },
  'task.cancellation.interval': {
    area: 'restart',
    type: 'duration',
    default: 30_000,
    minMs: 1,
    effect: 'later',
    description: 'How often a task that does not end is asked again and named in the log.',
  },
  'task.cancellation.timeout': {
    area: 'restart',
    type: 'duration',
    default: 180_000,
    description: 'A task that has not ended after this time fails the job for good. 0: waits for ever.',
  },
} as const satisfies Record<string, OptionDefinition>
