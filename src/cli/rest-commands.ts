/** The grammar of the commands that speak to a REST interface: `list`, `savepoint`, `checkpoint`, `cancel`, `stop`. Flink's, option by option. */
import { type Command, Option } from 'commander'
import type { ConfigurationEntry } from '../base/config/configuration-layer.ts'
import { ArgumentsRefused, jobIdOf } from './flink-arguments.ts'
import type { RestTarget } from './rest-target.ts'

/** What is to be done there. */
export type RestTask =
  | { readonly type: 'list'; readonly running: boolean; readonly scheduled: boolean; readonly terminated: boolean }
  | {
      readonly type: 'savepoint'
      readonly jobId: string
      readonly directory: string | undefined
      readonly format: string
      readonly detached: boolean
      /** There are arguments of which nothing is known. */
      readonly superfluous: boolean
    }
  | { readonly type: 'dispose'; readonly path: string }
  | { readonly type: 'checkpoint'; readonly jobId: string; readonly full: boolean }
  | { readonly type: 'cancel'; readonly jobId: string }
  | {
      readonly type: 'cancelWithSavepoint'
      readonly jobId: string
      readonly directory: string | undefined
      readonly format: string
    }
  | {
      readonly type: 'stop'
      readonly jobId: string
      readonly directory: string | undefined
      readonly drain: boolean
      readonly format: string
      readonly detached: boolean
    }

export interface RestRequest {
  readonly target: RestTarget
  readonly task: RestTask
}

/** Flink's words before a job is cancelled with a savepoint, or its arguments are refused. */
export const CANCEL_WITH_SAVEPOINT_WARNING =
  'DEPRECATION WARNING: Cancelling a job with savepoint is deprecated. Use "stop" instead.'

const NAMES: readonly (string | undefined)[] = ['list', 'savepoint', 'checkpoint', 'cancel', 'stop']

/** Whether the arguments of this command are refused in Flink's way. */
export const isRestCommand = (name: string | undefined): boolean => NAMES.includes(name)

interface GivenOptions {
  readonly jobmanager?: string
  readonly tokenFile?: string
  readonly D?: readonly ConfigurationEntry[]
  readonly running?: boolean
  readonly scheduled?: boolean
  readonly all?: boolean
  readonly type?: string
  readonly detached?: boolean
  readonly dispose?: string
  readonly full?: boolean
  /** `true`: without its value. */
  readonly withSavepoint?: string | true
  readonly savepointPath?: string | true
  readonly drain?: boolean
}

/** `keyAndValue` reads a `-D`. What is understood throws ArgumentsRefused for arguments that Flink refuses. */
export function addRestCommands(
  program: Command,
  keyAndValue: (text: string, before?: readonly ConfigurationEntry[]) => readonly ConfigurationEntry[],
  understood: (request: RestRequest) => void,
): void {
  const command = (
    name: string,
    description: string,
    taskOf: (words: readonly string[], options: GivenOptions) => RestTask,
  ) => {
    const made = program.command(name)
    return made
      .description(description)
      .option(
        '-m, --jobmanager <host:port>',
        'where the REST interface is; or $MILLRACE_ADDRESS (localhost:8081)',
        optionValue('m'),
      )
      .option('--token-file <file>', 'holds the token of that interface; or $MILLRACE_TOKEN, $MILLRACE_TOKEN_FILE')
      .option('-D <key=value>', 'client.timeout and rest.retry.*; may be repeated', keyAndValue)
      .addOption(new Option('-v, --verbose').hideHelp())
      .allowExcessArguments(true)
      .action(() => understood({ target: targetOf(made.opts()), task: taskOf(made.args, made.opts()) }))
  }

  command('list', 'Lists the jobs of a REST interface: running and scheduled ones, unless an option says which.', list)
    .option('-r, --running', 'running and restarting jobs')
    .option('-s, --scheduled', 'jobs that have not begun')
    .option('-a, --all', 'all jobs, those that have ended too')
  withFormat(command('savepoint', 'Takes a savepoint of a running job, or deletes one with --dispose.', savepoint))
    .argument('[job]', 'its id')
    .argument('[directory]', 'where the savepoint is to be stored; left out: where the configuration of the job says')
    .option('--detached', 'do not wait for its end, print its trigger id; also -detached')
    .option('-d, --dispose <path>', 'delete this savepoint; no job is named then', optionValue('d'))
    .addOption(new Option('-j, --jarfile <file>').hideHelp())
  command('checkpoint', 'Takes a checkpoint of a running job.', checkpoint)
    .argument('[job]', 'its id')
    .option('--full', 'one that shares no files with those before it; also -full')
  withFormat(command('cancel', 'Cancels a job. stop ends it with a savepoint.', cancel))
    .argument('[job]', 'its id')
    .option('-s, --withSavepoint [directory]', 'deprecated, use stop: take a savepoint first')
  withFormat(command('stop', 'Ends a job with a savepoint, from which it can go on.', stop))
    .argument('[job]', 'its id')
    .option(
      '-p, --savepointPath [directory]',
      'where the savepoint is to be stored; left out: where the configuration of the job says',
    )
    .option('-d, --drain', 'send the last watermark first: windows fire, and the job is not meant to go on')
    .option('--detached', 'do not wait for its end, print its trigger id; also -detached')
}

/** An option is no value: `-d -m host:port` disposes of nothing. */
function optionValue(name: string): (text: string) => string {
  return (text) => {
    if (text.startsWith('-')) throw new ArgumentsRefused(`Missing argument for option: ${name}`)
    return text
  }
}

const withFormat = (command: Command): Command =>
  command.option('--type <format>', 'canonical or native; also -type', optionValue('type'), 'CANONICAL')

function targetOf({ jobmanager, tokenFile, D }: GivenOptions): RestTarget {
  return { address: jobmanager, tokenFile, entries: D ?? [] }
}

function list(_words: readonly string[], { running = false, scheduled = false, all = false }: GivenOptions): RestTask {
  const isUnsaid = !running && !scheduled && !all
  return {
    type: 'list',
    running: running || all || isUnsaid,
    scheduled: scheduled || all || isUnsaid,
    terminated: all,
  }
}

function savepoint(words: readonly string[], { dispose, type = '', detached = false }: GivenOptions): RestTask {
  if (dispose !== undefined) return { type: 'dispose', path: dispose }
  const [job, directory] = words
  const jobId = jobIdOf(job, 'Missing JobID. Specify a Job ID to trigger a savepoint.')
  return { type: 'savepoint', jobId, directory, format: type, detached, superfluous: words.length > 2 }
}

function checkpoint([job]: readonly string[], { full = false }: GivenOptions): RestTask {
  return {
    type: 'checkpoint',
    jobId: jobIdOf(job, 'Missing JobID. Specify a Job ID to manipulate a checkpoint.'),
    full,
  }
}

function cancel([job]: readonly string[], { withSavepoint, type = '' }: GivenOptions): RestTask {
  if (withSavepoint === undefined)
    return { type: 'cancel', jobId: jobIdOf(job, 'Missing JobID. Specify a JobID to cancel a job.') }
  try {
    return { type: 'cancelWithSavepoint', ...jobAndDirectory(job, withSavepoint), format: type }
  } catch (thrown) {
    if (!(thrown instanceof ArgumentsRefused)) throw thrown
    throw new ArgumentsRefused(`${CANCEL_WITH_SAVEPOINT_WARNING}\n${thrown.message}`)
  }
}

function stop(
  [job]: readonly string[],
  { savepointPath, type = '', drain = false, detached = false }: GivenOptions,
): RestTask {
  return { type: 'stop', ...jobAndDirectory(job, savepointPath), drain, format: type, detached }
}

/** `-s JOB` has an option without its directory: what it took for one is the job. */
function jobAndDirectory(
  job: string | undefined,
  value: string | true | undefined,
): { readonly jobId: string; readonly directory: string | undefined } {
  const given = value === true ? undefined : value
  if (job !== undefined) return { jobId: jobIdOf(job, ''), directory: given }
  return { jobId: jobIdOf(given, 'Missing JobId'), directory: undefined }
}
