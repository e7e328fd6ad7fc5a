/** Flink has options of several letters behind one dash (`-rm`, `-type`), which the parser would take for as many options. */
import type { Command, Option } from 'commander'

/** What they are called here, by command. */
const LONG_NAMES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  run: { '-rm': '--claimMode' },
  plan: { '-rm': '--claimMode' },
  savepoint: { '-type': '--type', '-detached': '--detached' },
  stop: { '-type': '--type', '-detached': '--detached' },
  cancel: { '-type': '--type' },
  checkpoint: { '-full': '--full' },
}

/** Behind their first word everything is the job's. */
const TAKES_OPTIONS_OF_JOBS = ['run', 'plan']

/** The arguments with names that the parser understands. Values of options, and what stands behind `--`, stay as they are. */
export function withLongNames(argv: readonly string[], program: Command): string[] {
  const words = [...argv]
  const command = program.commands.find((one) => one.name() === argv[0])
  const names = LONG_NAMES[argv[0] ?? '']
  if (command === undefined || names === undefined) return words
  for (let index = 1; index < words.length; index++) {
    const word = words[index] as string
    if (word === '--') break
    if (!word.startsWith('-') && TAKES_OPTIONS_OF_JOBS.includes(command.name())) break
    const [name = '', ...value] = word.split('=')
    words[index] = Object.hasOwn(names, name) ? [names[name], ...value].join('=') : word
    if (command.options.some((option) => isNamed(option, words[index]) && option.required)) index++
  }
  return words
}

function isNamed({ short, long }: Option, word: string | undefined): boolean {
  return word !== undefined && (short === word || long === word)
}
