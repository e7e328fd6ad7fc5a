/** Finds, before the start, what a job would write and never show. */
import type { OperatorTransformation } from '../graph/transformation.ts'

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
