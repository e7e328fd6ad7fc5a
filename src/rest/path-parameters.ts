/** Reads what stands in the path and the query of a request: ids, numbers, the job and the vertex they mean. Refuses as Flink does. */
import type { VertexSnapshot } from '../runtime/execution-graph-snapshot.ts'
import type { ExecutionGraphSnapshot, JobHandle } from '../runtime/job-handle.ts'
import { handlerRefusal, notFound, unreadable } from './refusals.ts'
import type { RestCluster } from './rest-cluster.ts'
import type { RestRequest } from './route.ts'

/** Flink reads whole bytes: it drops a 33rd digit. */
const ID = /^([0-9a-f]{32})[0-9a-f]?$/i
const DIGITS = /^\+?\d{1,15}$/

/** 32 digits in lower case. Throws 400 for anything else. */
export function idParameter(request: RestRequest, name: string): string {
  const given = request.parameters[name] ?? ''
  const id = ID.exec(given)?.[1]
  if (id === undefined) throw unreadable('path', name, given)
  return id.toLowerCase()
}

/** 0 or more. Throws 400 for anything else. */
export function wholeNumberParameter(request: RestRequest, name: string): number {
  const given = request.parameters[name] ?? ''
  if (!DIGITS.test(given)) throw unreadable('path', name, given)
  return Number(given)
}

/** All that the query says of `name`, in order; Flink allows several values in one, with commas between them. */
export function queryValues(request: RestRequest, name: string): readonly string[] {
  return request.query
    .getAll(name)
    .flatMap((value) => value.split(','))
    .filter((value) => value !== '')
}

/** The first one, 0 or more; undefined: the query does not say. Throws 400 for anything else. */
export function wholeNumberQuery(request: RestRequest, name: string): number | undefined {
  const values = queryValues(request, name)
  if (values.some((value) => !DIGITS.test(value))) throw unreadable('query', name, values.join(','))
  return values[0] === undefined ? undefined : Number(values[0])
}

/** Of `:jobid`. Throws 400, or 404 where the process has no such job. */
export function servedJob(request: RestRequest, cluster: RestCluster): JobHandle {
  const jobId = idParameter(request, 'jobid')
  const job = cluster.jobs.find(jobId)
  if (job === undefined) throw notFound(`Job ${jobId} not found`)
  return job
}

export interface PlacedVertex {
  readonly vertex: VertexSnapshot
  /** In the graph. */
  readonly place: number
}

/** Throws 404 in the words of Flink's handlers that need a vertex for something in it. */
export function findVertex(graph: ExecutionGraphSnapshot, vertexId: string): PlacedVertex {
  const found = vertexIn(graph, vertexId)
  if (found === undefined) throw handlerRefusal(404, `No vertex with ID '${vertexId}' exists.`)
  return found
}

/** The same in the words of the handlers that show a vertex as a whole. */
export function findJobVertex(graph: ExecutionGraphSnapshot, vertexId: string): PlacedVertex {
  const found = vertexIn(graph, vertexId)
  if (found === undefined) throw notFound(`JobVertex ${vertexId} not found`)
  return found
}

function vertexIn({ vertices }: ExecutionGraphSnapshot, vertexId: string): PlacedVertex | undefined {
  return vertices.map((vertex, place) => ({ vertex, place })).find(({ vertex }) => vertex.id === vertexId)
}
