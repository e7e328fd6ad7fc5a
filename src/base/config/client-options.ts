/** Options of the commands that speak to a REST interface, with Flink's keys and defaults. */
import type { OptionDefinition } from './option-definition.ts'

export const CLIENT_OPTIONS = {
  'client.timeout': {
    area: 'rest',
    type: 'duration',
    default: 60_000,
    minMs: 1,
    description:
      'How long `millrace savepoint` and the other commands that speak to a REST interface wait in all. What was begun there goes on. Read from their `-D` alone.',
  },
  'rest.retry.max-attempts': {
    area: 'rest',
    type: 'integer',
    default: 20,
    min: 0,
    description:
      'How often these commands repeat a request that a server is not ready for (503), or a question that lost its connection. Read from their `-D` alone.',
  },
  'rest.retry.delay': {
    area: 'rest',
    type: 'duration',
    default: 3000,
    description: 'How long these commands wait before they repeat a request. Read from their `-D` alone.',
  },
} as const satisfies Record<string, OptionDefinition>
