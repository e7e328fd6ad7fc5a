/** Writes docs/CONFIGURATION.md from the table of options. A test compares the file with what this gives. */
import type { OptionArea, OptionDefinition } from './option-definition.ts'
import { describeLegal, formatOptionValue } from './option-value.ts'
import { OPTIONS } from './options.ts'

const AREAS: Readonly<Record<OptionArea, string>> = {
  checkpointing: 'Checkpoints and starting from one',
  restart: 'Restarts and the end of tasks',
  state: 'State',
  pipeline: 'The pipeline',
  rest: 'REST interface and dashboard',
}

/** The whole text of docs/CONFIGURATION.md. */
export function configurationDocument(): string {
  const options = Object.entries(OPTIONS as Readonly<Record<string, OptionDefinition>>)
  const sections = (Object.keys(AREAS) as OptionArea[]).map((area) =>
    section(
      AREAS[area],
      options.filter(([, definition]) => definition.area === area),
    ),
  )
  return [PREFACE, ...sections, UNITS].join('\n')
}

const PREFACE = `# Configuration

<!-- Generated from the table of options by scripts/generate-docs.mjs: do not edit. -->

An option can be set in four places, the strongest first: the code of the job (\`env.configure({ … })\` and the setters), \`-D key=value\` on the command line, the configuration file, the default. The options of a restart strategy are all read from the place that names the strategy (\`restart-strategy.type\`).

The configuration file is what \`--config PATH\` names (a file or a folder), else the one in the folder \`$MILLRACE_CONF_DIR\`, else one in the current folder. In a folder \`millrace.yaml\`, \`config.yaml\` and \`flink-conf.yaml\` are looked for in this order. The first two are YAML, nested or flat; \`flink-conf.yaml\` is Flink's old format of \`key: value\` lines.

\`\`\`yaml
execution.checkpointing:
  interval: 10 s
  dir: file:///var/lib/checkpoints
restart-strategy:
  type: fixed-delay
  fixed-delay.attempts: 3
\`\`\`

A key that is not known has no effect, and a warning names the nearest one that is. A value that is not legal is an error that names file, line, key, value and what is legal. Where a key has an older name, both may be used; the key itself wins where both are given.
`

const UNITS = `## Units

Durations are whole milliseconds: a number, or a number with one of \`d\`, \`day\`, \`days\`, \`h\`, \`hour\`, \`hours\`, \`min\`, \`m\`, \`minute\`, \`minutes\`, \`s\`, \`sec\`, \`secs\`, \`second\`, \`seconds\`, \`ms\`, \`milli\`, \`millis\`, \`millisecond\`, \`milliseconds\`, and down to \`µs\` and \`ns\` where the result is a whole number of milliseconds. In code, \`Time.of(10, TimeUnit.SECONDS)\` serves as well.

Sizes of memory are bytes: a number, or a number with one of \`b\`, \`bytes\`, \`k\`, \`kb\`, \`kibibytes\`, \`m\`, \`mb\`, \`mebibytes\`, \`g\`, \`gb\`, \`gibibytes\`, \`t\`, \`tb\`, \`tebibytes\`; each unit is 1024 of the one below.
`

function section(title: string, options: readonly (readonly [string, OptionDefinition])[]): string {
  const head = ['| key | default | legal | what it does |', '| --- | --- | --- | --- |']
  return [`## ${title}`, '', ...head, ...options.map(row), ''].join('\n')
}

function row([key, definition]: readonly [string, OptionDefinition]): string {
  const { aliases = [], description, effect } = definition
  const given = definition.default === undefined ? 'none' : `\`${formatOptionValue(definition, definition.default)}\``
  const older = aliases.length === 0 ? '' : ` Older name: ${aliases.map((alias) => `\`${alias}\``).join(', ')}.`
  const later = effect === 'later' ? ' Accepted; no effect in this version.' : ''
  return `| \`${key}\` | ${given} | ${shortLegal(definition)} | ${description}${later}${older} |`
}

/** Durations and sizes are explained once, under "Units". */
function shortLegal(definition: OptionDefinition): string {
  const legal = describeLegal(definition)
  if (definition.type === 'choice') return definition.values.map((value) => `\`${value}\``).join(', ')
  if (definition.type === 'duration') return `duration${rangeOf(legal)}`
  return definition.type === 'memory' ? `size of memory${rangeOf(legal)}` : legal
}

const rangeOf = (legal: string): string => {
  const range = /^a (?:duration|size of memory) of (.*?)(?: in whole|, such)/.exec(legal)?.[1]
  return range === undefined ? '' : `, ${range}`
}
