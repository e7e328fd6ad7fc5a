/** Finds, before the start, what a job would make and never show. */
import type { OperatorTransformation, Transformation } from '../graph/transformation.ts'

/**
 * A line for the log when the input does not end and nothing but the end would show what these sinks write, because the
 * job takes no checkpoints; undefined where all is well.
 */
export function unseenOutput(
  jobName: string,
  operators: readonly OperatorTransformation[],
  checkpointing: boolean,
): string | undefined {
  if (checkpointing || !operators.some(({ source }) => source?.boundedness === 'continuous-unbounded')) return undefined
  const sinks = operators.filter(({ commits }) => commits).map(({ settings }) => `"Sink: ${settings.name}"`)
  if (sinks.length === 0) return undefined
  return `Job "${jobName}" takes no checkpoints and its input has no end, so that nothing of what ${sinks.join(', ')} writes ever becomes visible. Call env.enableCheckpointing('10 s'), or set execution.checkpointing.interval.`
}

/**
 * A line for the log when no record of the job reaches a sink, because there is none; undefined where there is one. Of two
 * streams one may well end in an operator: a function can write by itself.
 */
export function withoutSink(jobName: string, operators: readonly OperatorTransformation[]): string | undefined {
  if (operators.some(({ role }) => role === 'sink')) return undefined
  const read = new Set(operators.flatMap(({ inputs }) => inputs.flatMap(operatorsOf)))
  const ends = operators.filter((operator) => !read.has(operator)).map(({ settings }) => `"${settings.name}"`)
  return `Job "${jobName}" has no sink: what ${ends.join(', ')} gives goes nowhere. End the stream with sinkTo(...) or print(), unless its functions write what they find by themselves.`
}

/** Whose records these are. */
function operatorsOf(stream: Transformation): readonly OperatorTransformation[] {
  switch (stream.kind) {
    case 'operator':
      return [stream]
    case 'union':
      return stream.inputs.flatMap(operatorsOf)
    default:
      return operatorsOf(stream.input)
  }
}
