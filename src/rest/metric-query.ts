/** What a request asks of metrics: their names, some of them by name, or all subtasks' together. Names are compared for equality. */
import { AGGREGATIONS, type Aggregation, aggregate } from '../metrics/aggregate.ts'
import { type Metric, metricNumber, metricText } from './metric.ts'
import type { SubtaskMetrics } from './metric-store.ts'
import { queryValues } from './path-parameters.ts'
import { handlerRefusal, unreadable } from './refusals.ts'
import { ok, type RestAnswer, type RestRequest } from './route.ts'

export type NamedMetrics = ReadonlyMap<string, Metric>

/** The dashboard asks for some tens at most. */
const MOST_NAMES = 500
const RANGE = /^(\d{1,9})(?:-(\d{1,9}))?$/

/** Of a later metric of the same name the earlier is forgotten. */
export function named(metrics: readonly Metric[]): NamedMetrics {
  return new Map(metrics.map((metric) => [metric.name, metric]))
}

/** Of a subtask, with those of its operators: `Totals.numRecordsIn`. */
export function namedOfSubtask({ metrics, operators }: SubtaskMetrics): NamedMetrics {
  const ofOperators = operators.flatMap((operator) =>
    operator.metrics.map((metric) => [`${scopeName(operator.name)}.${metric.name}`, metric] as const),
  )
  return new Map([...metrics.map((metric) => [metric.name, metric] as const), ...ofOperators])
}

/** The names of all where `get` names none; else those that there are, with their values. */
export function answerMetrics(metrics: NamedMetrics, request: RestRequest): RestAnswer {
  const wanted = wantedNames(request)
  if (wanted.length === 0) return ok([...metrics.keys()].map((id) => ({ id })))
  return ok(
    wanted.flatMap((id) => {
      const metric = metrics.get(id)
      return metric === undefined ? [] : [{ id, value: metricText(metric) }]
    }),
  )
}

/** The same for many bearers of the same names: numbers only, put together as `agg` says; each way where it does not. */
export function answerAggregates(bearers: readonly NamedMetrics[], request: RestRequest): RestAnswer {
  const wanted = wantedNames(request)
  const ways = wantedAggregations(request)
  if (wanted.length === 0) return ok([...new Set(bearers.flatMap((one) => [...one.keys()]))].map((id) => ({ id })))
  return ok(
    wanted.flatMap((id) => {
      const values = bearers.flatMap((one) => numberOf(one.get(id)))
      if (values.length === 0) return []
      return [{ id, ...Object.fromEntries(ways.map((way) => [way, aggregate(values, way)])) }]
    }),
  )
}

/** Whether the query wants the number: `subtasks=0,2-5`; any where it does not say. */
export function wantedNumbers(request: RestRequest, name: string): (number: number) => boolean {
  const ranges = queryValues(request, name).map((value) => {
    const [, from, to = from] = RANGE.exec(value) ?? []
    if (from === undefined) throw unreadable('query', name, value)
    return { from: Number(from), to: Number(to) }
  })
  return (number) => ranges.length === 0 || ranges.some(({ from, to }) => from <= number && number <= to)
}

function wantedNames(request: RestRequest): readonly string[] {
  const names = [...new Set(queryValues(request, 'get'))]
  if (names.length > MOST_NAMES)
    throw handlerRefusal(400, `The query parameter (get) names ${names.length} metrics; ${MOST_NAMES} are the most.`)
  return names
}

function wantedAggregations(request: RestRequest): readonly Aggregation[] {
  const wanted = queryValues(request, 'agg').map((value) => {
    const way = AGGREGATIONS.find((one) => one === value.toLowerCase())
    if (way === undefined) throw unreadable('query', 'agg', value)
    return way
  })
  return wanted.length === 0 ? AGGREGATIONS : AGGREGATIONS.filter((way) => wanted.includes(way))
}

function numberOf(metric: Metric | undefined): readonly number[] {
  const value = metric === undefined ? undefined : metricNumber(metric)
  return value === undefined ? [] : [value]
}

/** As Flink puts a name before a dot. */
function scopeName(name: string): string {
  return name.replace(/[ .:,]/g, '_')
}
