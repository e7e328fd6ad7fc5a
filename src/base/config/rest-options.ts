/** Options of the REST interface. */
import type { OptionDefinition } from './option-definition.ts'

export const REST_OPTIONS = {
  'rest.address': {
    area: 'rest',
    type: 'text',
    default: 'localhost',
    description: 'Host that commands such as `millrace list` connect to, read from their `-D`.',
  },
  'rest.port': {
    area: 'rest',
    type: 'integer',
    default: 8081,
    min: 0,
    max: 65_535,
    description: 'Port that the server listens on where `rest.bind-port` says nothing. 0: any free one.',
  },
  'rest.bind-address': {
    area: 'rest',
    type: 'text',
    default: 'localhost',
    description:
      'Address that the server listens on. Another one than the loopback needs `rest.token-file`, or `rest.insecure`.',
  },
  'rest.bind-port': {
    area: 'rest',
    type: 'text',
    default: '8081-8090',
    pattern: /^\d{1,5}(-\d{1,5})?$/,
    legal: 'a port or a range of ports such as 8081-8090',
    description:
      'Port or range of ports that the server listens on: the first free one. It wins over `rest.port` where both are set.',
  },
  'rest.token-file': {
    area: 'rest',
    type: 'text',
    default: undefined,
    description:
      'File with the token that every request must show as `Authorization: Bearer`. Nobody but its owner may have rights on it.',
  },
  'rest.insecure': {
    area: 'rest',
    type: 'boolean',
    default: false,
    description:
      'Listen on other addresses than the loopback without a token: whoever reaches the port rules the jobs.',
  },
  'rest.allowed-hosts': {
    area: 'rest',
    type: 'text',
    default: undefined,
    description:
      'Names beside those of the loopback under which the interface may be asked for, with `;` between them: a request for another host is refused.',
  },
  'rest.savepoint-roots': {
    area: 'rest',
    type: 'text',
    default: undefined,
    description:
      'Folders in which a request may have savepoints written or deleted, with `;` between them; those that the job is configured with always.',
  },
  'rest.async.store-duration': {
    area: 'rest',
    type: 'duration',
    default: 300_000,
    description: 'How long the result of a savepoint or another long operation can be asked for.',
  },
  'web.dir': {
    area: 'rest',
    type: 'text',
    default: undefined,
    description: 'Folder with the files of a dashboard, such as Flink’s, which are served beside the interface.',
  },
  'web.access-control-allow-origin': {
    area: 'rest',
    type: 'text',
    default: undefined,
    description: 'Origin whose pages may read the interface. Not set: none (Flink allows every one).',
  },
  'web.refresh-interval': {
    area: 'rest',
    type: 'duration',
    default: 3000,
    minMs: 1,
    description: 'How often the dashboard asks for news.',
  },
  'web.cancel.enable': {
    area: 'rest',
    type: 'boolean',
    default: true,
    description:
      'Whether jobs may be ended and savepoints deleted over REST: by the button of the dashboard, by a command, by any request.',
  },
  'web.submit.enable': {
    area: 'rest',
    type: 'boolean',
    default: false,
    effect: 'never',
    description: 'Accepted for Flink’s sake: jobs are not submitted through the dashboard, whatever it says.',
  },
  'web.checkpoints.history': {
    area: 'rest',
    type: 'integer',
    default: 10,
    min: 1,
    description: 'How many checkpoints the statistics of a job list.',
  },
  'web.exception-history-size': {
    area: 'rest',
    type: 'integer',
    default: 16,
    min: 1,
    description: 'How many failures of a job are remembered, each with those that came while it was handled.',
  },
} as const satisfies Record<string, OptionDefinition>
