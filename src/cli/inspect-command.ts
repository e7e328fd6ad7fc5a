/** The grammar of `millrace inspect`. */
import type { Command } from 'commander'

export interface InspectRequest {
  /** A checkpoint or savepoint: its folder or its `_metadata` file. */
  readonly path: string
  /** Print the entries of this state. */
  readonly state: string | undefined
  /** Of that state only those of this key: JSON text, or plain text. */
  readonly key: string | undefined
  readonly json: boolean
}

interface InspectOptions {
  readonly state?: string
  readonly key?: string
  readonly json?: boolean
}

export function addInspectCommand(program: Command, understood: (request: InspectRequest) => void): void {
  program
    .command('inspect')
    .description(
      'Shows what a checkpoint or savepoint holds, once all of it was verified. Changes nothing, runs nothing.',
    )
    .argument('<path>', 'its folder or its _metadata file')
    .option('--state <name>', 'print the entries of this state as JSON lines: NAME, or OPERATOR/NAME')
    .option('--key <key>', 'of that state only the entry of this key: JSON text, or plain text')
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', '\nExample:\n  millrace inspect chk-7 --state counts --key \'["SFO",14]\'')
    .action((path: string, { state, key, json }: InspectOptions, command: Command) => {
      if (key !== undefined && state === undefined) command.error('--key needs --state: a key is one of a state.')
      understood({ path, state, key, json: json ?? false })
    })
}
