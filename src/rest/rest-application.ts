/**
 * What the server answers to a request: the guard, the route or the file, then the answer with its headers, or the
 * refusal. A function of web requests; sockets are the business of `listen.ts`.
 */
import { messageOf, StreamError } from '../base/errors.ts'
import type { DashboardFiles } from './dashboard-files.ts'
import { jsonBody } from './json-body.ts'
import { jsonText } from './json-text.ts'
import { echoed, unknownFile } from './refusals.ts'
import { type RequestHead, refusalOfContentType, refusalOfMutation, refusalOfRequest } from './request-guard.ts'
import type { RestCluster } from './rest-cluster.ts'
import { type RestAnswer, RestFailure, type Route } from './route.ts'
import { router } from './router.ts'
import { apiHeaders, fileHeaders } from './security-headers.ts'

export interface RestApplicationOptions {
  readonly routes: readonly Route[]
  readonly cluster: RestCluster
  /** Left out: there are no files. */
  readonly dashboard?: DashboardFiles | undefined
}

/** Never rejects. */
export type RestApplication = (request: Request) => Promise<Response>

const JSON_TYPE = 'application/json; charset=UTF-8'

export function restApplication({ routes, cluster, dashboard }: RestApplicationOptions): RestApplication {
  const { settings, ports } = cluster
  const headers = apiHeaders(settings)
  const respond = (answer: RestAnswer, more: Readonly<Record<string, string>> = {}) =>
    'json' in answer
      ? new Response(jsonText(answer.json), {
          status: answer.status,
          headers: { ...headers, ...more, 'Content-Type': JSON_TYPE },
        })
      : new Response(answer.text, {
          status: answer.status,
          headers: { ...headers, ...more, 'Content-Type': answer.contentType },
        })

  const route = router(routes, {
    async routed(found, parameters, request) {
      const head = headOf(request)
      if (found.mutates ?? found.method !== 'GET') refuse(refusalOfMutation(head, found.method))
      const hasBody = found.method !== 'GET' && found.body !== 'ignored' && sendsBody(head)
      if (hasBody) refuse(refusalOfContentType(head.header('content-type')))
      const body = hasBody ? await jsonBody(request) : {}
      const { url } = head
      return respond(
        await found.handle({ path: decoded(url.pathname), parameters, query: url.searchParams, body }, cluster),
      )
    },
    unknown(request) {
      const path = decoded(new URL(request.url).pathname)
      const file = request.method === 'GET' ? dashboard?.find(path) : undefined
      if (file === undefined) throw nothingThere(request.method, path)
      const kept = fileHeaders({ readAtMs: cluster.startedAtMs, nowMs: ports.clock.now() })
      return new Response(file.bytes, { headers: { ...kept, 'Content-Type': file.contentType } })
    },
  })

  return async (request) => {
    try {
      refuse(refusalOfRequest(headOf(request), settings))
      return await route(request)
    } catch (thrown) {
      const { status, errors } = failureOf(thrown, request, cluster)
      return respond({ status, json: { errors } }, extraHeaders(status))
    }
  }
}

function refuse(failure: RestFailure | undefined): void {
  if (failure !== undefined) throw failure
}

function headOf(request: Request): RequestHead {
  return { url: new URL(request.url), header: (name) => request.headers.get(name) }
}

function sendsBody(head: RequestHead): boolean {
  return Number(head.header('content-length') ?? 0) > 0 || head.header('transfer-encoding') !== null
}

/** What cannot be decoded stays as it is: nothing is found under such a name. */
function decoded(pathname: string): string {
  try {
    return decodeURIComponent(pathname)
  } catch {
    // A URIError.
    return pathname
  }
}

/** In Flink's words: it looks for a file where a GET has no route. */
function nothingThere(method: string, path: string): RestFailure {
  return method === 'GET' ? unknownFile(path) : new RestFailure(404, `Not found: ${echoed(path)}`)
}

/**
 * What nobody expected is logged whole, and told in Flink's frame without its stack: that, and words that are not ours,
 * may hold what the configuration keeps secret.
 */
function failureOf(thrown: unknown, request: Request, { ports }: RestCluster): RestFailure {
  if (thrown instanceof RestFailure) return thrown
  const asked = `${request.method} ${JSON.stringify(new URL(request.url).pathname)}`
  const stack = thrown instanceof Error ? thrown.stack : undefined
  ports.logger.error(`REST: ${asked} failed: ${stack ?? messageOf(thrown)}`)
  const told = StreamError.is(thrown)
    ? `${thrown.code}: ${thrown.message}`
    : `${thrown instanceof Error ? thrown.name : typeof thrown}: see the log`
  const report = `<Exception on server side:\n${told}\nEnd of exception on server side>`
  return new RestFailure(500, 'Internal server error.', report)
}

/** After a refusal of its size the rest of a body is not read, so that the connection is of no more use. */
function extraHeaders(status: number): Record<string, string> {
  if (status === 401) return { 'WWW-Authenticate': 'Basic realm="millrace", Bearer realm="millrace"' }
  return status === 413 ? { Connection: 'close' } : {}
}
