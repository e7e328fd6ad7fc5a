/** Arguments of the commands that Flink has too, refused as Flink refuses them: scripts read its words on standard output. */
import { CommanderError } from 'commander'

/** Arguments that Flink's command line does not take. */
export class ArgumentsRefused extends Error {}

/** Lower case. Throws ArgumentsRefused; `missing` are Flink's words where there is none. */
export function jobIdOf(text: string | undefined, missing: string): string {
  if (text === undefined) throw new ArgumentsRefused(missing)
  // Flink drops half a byte at the end.
  if (/^[0-9a-fA-F]{32,33}$/.test(text)) return text.slice(0, 32).toLowerCase()
  throw new ArgumentsRefused(
    `Cannot parse JobID from "${text}". The expected format is [0-9a-fA-F]{32}, e.g. fd72014d4c864993a2e5a9287b4a9c5d.`,
  )
}

/** What is printed; undefined when it is not the arguments that were refused. */
export function refusalText(thrown: unknown): string | undefined {
  if (thrown instanceof ArgumentsRefused) return refusal(thrown.message)
  // Help is thrown, too, with 0.
  return thrown instanceof CommanderError && thrown.exitCode !== 0 ? refusal(wordsOf(thrown)) : undefined
}

const refusal = (words: string): string =>
  `${words}\n\nUse the help option (-h or --help) to get help on the command.\n`

/** The parser's words in Flink's. */
function wordsOf({ code, message }: CommanderError): string {
  const quoted = /'(.*?)'/s.exec(message)?.[1] ?? ''
  if (code === 'commander.unknownOption') return `Unrecognized option: ${quoted}`
  if (code === 'commander.optionMissingArgument')
    return `Missing argument for option: ${/^-+([\w-]+)/.exec(quoted)?.[1] ?? quoted}`
  return message.replace(/^error: /, '')
}
