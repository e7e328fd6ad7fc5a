/** The grammar of the command line: what was typed becomes a plain request, a text to print, or an error. It does nothing. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { ConfigurationEntry } from '../base/config/configuration-layer.ts'
import { StreamError } from '../base/errors.ts'
import { VERSION } from '../base/version.ts'
import { refusalText } from './flink-arguments.ts'
import { addInspectCommand, type InspectRequest } from './inspect-command.ts'
import { withLongNames } from './one-dash-options.ts'
import { addRestCommands, isRestCommand, type RestRequest } from './rest-commands.ts'

export interface RunRequest {
  readonly job: string
  readonly jobArguments: readonly string[]
  /** What `-D`, `-p`, `--check` and `--port` say, as entries of the command line level. */
  readonly entries: readonly ConfigurationEntry[]
  readonly configFile: string | undefined
  readonly fromSavepoint: string | undefined
  readonly allowNonRestoredState: boolean
  readonly claimMode: 'NO_CLAIM' | 'CLAIM' | undefined
  readonly resume: boolean
  readonly takeover: boolean
  readonly json: boolean
  /** Undefined: `--no-rest`. */
  readonly rest: { readonly port: number | undefined; readonly dashboard: string | undefined } | undefined
}

/** `millrace plan`. */
export interface PlanRequest {
  /** The options of `run`; what concerns running has no effect. */
  readonly run: RunRequest
  /** A savepoint or checkpoint: its folder or its `_metadata` file. */
  readonly from: string
  /** Of the call of `execute` that is planned; undefined: the first one. */
  readonly jobName: string | undefined
}

export type CommandLine =
  | { readonly type: 'run'; readonly request: RunRequest }
  | { readonly type: 'plan'; readonly request: PlanRequest }
  | { readonly type: 'inspect'; readonly request: InspectRequest }
  | { readonly type: 'rest'; readonly request: RestRequest }
  /** Arguments of a command of Flink that its command line refuses: for standard output, with exit code 1. */
  | { readonly type: 'refused'; readonly text: string }
  /** Help or version was asked for. */
  | { readonly type: 'text'; readonly text: string }

/** Throws COMMAND_INVALID for what it does not understand. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  let line: CommandLine | undefined
  const written: string[] = []
  const program = millrace((parsed) => {
    line = parsed
  })
  for (const command of [program, ...program.commands])
    command.exitOverride().configureOutput({ writeOut: (text) => void written.push(text), writeErr: () => {} })
  try {
    if (argv.length === 0) throw invalid('No command is given.')
    program.parse(withLongNames(argv, program), { from: 'user' })
  } catch (thrown) {
    const refusal = isRestCommand(argv[0]) ? refusalText(thrown) : undefined
    if (refusal !== undefined) return { type: 'refused', text: refusal }
    if (!(thrown instanceof CommanderError)) throw thrown
    if (thrown.exitCode !== 0) throw invalid(thrown.message.replace(/^error: /, ''))
  }
  return line ?? { type: 'text', text: written.join('') }
}

function millrace(understood: (line: CommandLine) => void): Command {
  const program = new Command('millrace')
    .description(
      'Runs Millrace jobs: exactly-once stream processing in one process. Operates jobs of Millrace and of Flink over REST.',
    )
    .version(VERSION)
    .enablePositionalOptions()
    .addHelpText('after', '\nExample:\n  millrace run -c config.yaml -p 2 wordcount.ts books/')
  withRunOptions(program.command('run'))
    .description('Runs a job file to its end. SIGINT or SIGTERM suspends the job, a second one ends it at once.')
    .option('--json', 'one JSON object a line on standard output')
    .passThroughOptions()
    .addHelpText(
      'after',
      '\nExample:\n  millrace run --resume -D execution.checkpointing.interval=1s wordcount.ts books/',
    )
    .action((job: string, jobArguments: string[], options: RunOptions) =>
      understood({ type: 'run', request: requestOf(job, jobArguments, options) }),
    )
  withRunOptions(program.command('plan'))
    .description(
      'Compares a savepoint or checkpoint with the job of a job file, and runs nothing. Ends with 1 when a restore would fail.',
    )
    .option('--from <path>', 'the savepoint or checkpoint; -s is the same')
    .option('--job-name <name>', 'of several calls of execute: the one of this name')
    .option('--json', 'one JSON document on standard output')
    .addHelpText(
      'after',
      '\nOptions may stand behind the job file; arguments of the job that begin with a dash stand behind --.\n\nExample:\n  millrace plan wordcount.ts --from /var/savepoints/savepoint-1a2b3c-1',
    )
    .action((job: string, jobArguments: string[], options: PlanOptions) =>
      understood({ type: 'plan', request: planRequestOf(requestOf(job, jobArguments, options), options) }),
    )
  addInspectCommand(program, (request) => understood({ type: 'inspect', request }))
  addRestCommands(program, keyAndValue, (request) => understood({ type: 'rest', request }))
  return program
}

function withRunOptions(command: Command): Command {
  return command
    .argument('<job>', 'job file: .js, .mjs, .cjs, .ts or .mts')
    .argument('[arguments...]', 'what the job finds in process.argv.slice(2)')
    .option('-s, --fromSavepoint <path>', 'start from this savepoint or checkpoint')
    .option(
      '-n, --allowNonRestoredState',
      'start also where it holds state that finds no place in the job, and drop that',
    )
    .addOption(claimMode())
    .option('--resume', 'go on where the last run of this job ended')
    .option('--takeover', 'take the job over from an owner that is alive but stopped, or on another host')
    .option('-p, --parallelism <n>', 'parallelism of operators for which the job says nothing')
    .option('-D <key=value>', 'set an option of the configuration; may be repeated', keyAndValue)
    .option('-c, --config <file>', 'configuration file, or the folder it lies in')
    .option('--check', 'freeze records and state, so that code which changes them fails where it does; slow')
    .option('--port <n>', 'port of the REST interface; left out: the first free one from 8081 to 8090, 0: any', port)
    .option('--no-rest', 'no REST interface')
    .option('--dashboard <dir>', 'folder with the files of a dashboard, which the REST interface serves')
}

interface RunOptions {
  readonly fromSavepoint?: string
  readonly allowNonRestoredState?: boolean
  readonly claimMode?: 'NO_CLAIM' | 'CLAIM'
  readonly resume?: boolean
  readonly takeover?: boolean
  readonly parallelism?: string
  readonly D?: readonly ConfigurationEntry[]
  readonly config?: string
  readonly check?: boolean
  readonly port?: number
  readonly rest: boolean
  readonly dashboard?: string
  readonly json?: boolean
}

function requestOf(job: string, jobArguments: readonly string[], options: RunOptions): RunRequest {
  const { parallelism, check, fromSavepoint, claimMode, port, dashboard } = options
  return {
    job,
    jobArguments,
    entries: [
      ...(options.D ?? []),
      ...(parallelism === undefined ? [] : [{ key: 'parallelism.default', value: parallelism }]),
      ...(check === true ? [{ key: 'execution.debug-freeze', value: true }] : []),
      ...(port === undefined ? [] : [{ key: 'rest.port', value: port }]),
    ],
    configFile: options.config,
    fromSavepoint,
    allowNonRestoredState: options.allowNonRestoredState ?? false,
    claimMode,
    resume: options.resume ?? false,
    takeover: options.takeover ?? false,
    json: options.json ?? false,
    rest: options.rest ? { port, dashboard } : undefined,
  }
}

interface PlanOptions extends RunOptions {
  readonly from?: string
  readonly jobName?: string
}

function planRequestOf(run: RunRequest, { from, jobName }: PlanOptions): PlanRequest {
  const path = from ?? run.fromSavepoint
  if (path === undefined) throw invalid('plan needs --from <path>.')
  if (run.fromSavepoint !== undefined && run.fromSavepoint !== path)
    throw invalid('plan has two paths, of --from and of -s.')
  return { run, from: path, jobName }
}

const claimMode = (): Option =>
  new Option('--claimMode <mode>', 'whom the files of -s belong to from now on; short: -rm').choices([
    'NO_CLAIM',
    'CLAIM',
  ])

function keyAndValue(text: string, before: readonly ConfigurationEntry[] = []): readonly ConfigurationEntry[] {
  const equals = text.indexOf('=')
  if (equals <= 0) throw new InvalidArgumentError('It must be key=value.')
  return [...before, { key: text.slice(0, equals).trim(), value: text.slice(equals + 1).trim() }]
}

function port(text: string): number {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (!(value <= 65_535)) throw new InvalidArgumentError('It must be a whole number from 0 to 65535.')
  return value
}

function invalid(message: string): StreamError {
  return new StreamError('COMMAND_INVALID', {
    message: message.split('\n').join(' '),
    hint: 'See millrace --help, and --help of the command.',
  })
}
