/** A plan in words, one line a part: what a failure prints, and what a reader can type in again as a test. */
import { parallelismOfStreams } from './build-job.ts'
import type { Input, LifePlan, Plan } from './plan.ts'

export function readable(plan: Plan): readonly string[] {
  const { sources, nodes, sinks, read, settings, lives } = plan
  const processes = lives.map((_, lived) => parallelismOfStreams(plan, lived))
  const parallel = (stream: number) => `parallel ${processes.map((of) => of[stream]).join(' then ')}`
  return [
    ...sources.map(
      ({ kind, splits, keys, disorderMs, paceMs }, stream) =>
        `  ${stream}: source ${kind} of ${splits.join(' + ')} rows, ${keys} keys, disorder ${disorderMs}, pace ${paceMs}, ${parallel(stream)}`,
    ),
    ...nodes.map(({ salt, operation, inputs, outputs, maxParallelism, chaining }) => {
      const { type, ...options } = operation
      const rest = [
        parallel(outputs[0] as number),
        ...(maxParallelism === undefined ? [] : [`max ${maxParallelism}`]),
        ...(chaining === 'always' ? [] : [`chaining ${chaining}`]),
      ]
      return `  ${outputs.join(', ')}: ${type}${shown(options)} of ${inputs.map(inputText).join(' and ')}, salt ${salt}, ${rest.join(', ')}`
    }),
    ...sinks.map(
      ({ kind, input, parallelism, chained, slowMs }) =>
        `  sink ${kind} of ${inputText(input)}, parallel ${parallelism.join(' then ')}${chained ? '' : ', not chained'}${slowMs === 0 ? '' : `, ${slowMs} ms a write`}`,
    ),
    ...(read === undefined ? [] : [`  executeAndCollect of ${read}`]),
    `  settings${shown(settings)}`,
    ...lives.map((life, lived) => `  process ${lived}${shown(troubles(life))}`),
  ]
}

const inputText = ({ stream, partitioner }: Input) =>
  partitioner === 'none' ? `${stream}` : `${stream} (${partitioner})`

function troubles(life: LifePlan): object {
  return Object.fromEntries(Object.entries(life).filter(([, value]) => !(Array.isArray(value) && value.length === 0)))
}

function shown(options: object): string {
  const text = JSON.stringify(options).replaceAll('"', '')
  return text === '{}' ? '' : ` ${text}`
}
