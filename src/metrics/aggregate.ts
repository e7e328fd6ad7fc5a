/** Many values of one metric as one: the aggregations that Flink's REST API offers. Pure. */

export const AGGREGATIONS = ['min', 'max', 'avg', 'sum', 'skew'] as const
export type Aggregation = (typeof AGGREGATIONS)[number]

/** 0 where there is no value. `skew`: how far values lie from their mean, in percent of it, 100 at most; 0 where the mean is. */
export function aggregate(values: readonly number[], how: Aggregation): number {
  if (values.length === 0) return 0
  switch (how) {
    case 'min':
      return values.reduce((least, value) => Math.min(least, value))
    case 'max':
      return values.reduce((most, value) => Math.max(most, value))
    case 'sum':
      return sumOf(values)
    case 'avg':
      return sumOf(values) / values.length
    case 'skew':
      return skewOf(values, sumOf(values) / values.length)
  }
}

function skewOf(values: readonly number[], mean: number): number {
  if (mean === 0) return 0
  const deviation = sumOf(values.map((value) => Math.abs(value - mean))) / values.length
  return Math.min(100, (100 * deviation) / mean)
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}
