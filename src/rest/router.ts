/** From a request to its route: paths as Flink takes them, on the framework's router. It knows nothing of what routes do. */
import { type Context, Hono } from 'hono'
import { assert } from '../base/assert.ts'
import type { Route } from './route.ts'

export type Router = (request: Request) => Response | Promise<Response>

/** What is done with a request: by its route, and where it has none. */
export interface Destinations {
  routed(route: Route, parameters: Readonly<Record<string, string>>, request: Request): Promise<Response>
  unknown(request: Request): Response
}

/** The methods that routes have; whatever else is asked for, HEAD and OPTIONS too, has no route. */
const METHODS: readonly string[] = ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'] satisfies Route['method'][]

/** Throws for two routes that answer the same. */
export function router(routes: readonly Route[], to: Destinations): Router {
  const hono = new Hono({ getPath: (request) => routePath(new URL(request.url).pathname) })
  for (const route of inOrder(routes))
    hono.on(route.method, route.path, (context: Context) =>
      to.routed(route, context.req.param() as Record<string, string>, context.req.raw),
    )
  hono.notFound((context) => to.unknown(context.req.raw))
  // Beside the list: a thrown value is handled by whoever asked, not by the framework.
  hono.onError((error) => {
    throw error
  })
  return (request) => (METHODS.includes(request.method) ? hono.fetch(request) : to.unknown(request))
}

/** `/v1/jobs/`, `//jobs` and `/jobs` are one path; of the versions there is the first alone. */
export function routePath(pathname: string): string {
  const path = `/${pathname
    .split('/')
    .filter((segment) => segment !== '')
    .join('/')}`
  return path.startsWith('/v1/') ? path.slice('/v1'.length) : path
}

/** The framework takes the first that fits: a name in the path stands before a parameter at the same place. */
function inOrder(routes: readonly Route[]): readonly Route[] {
  const names = new Set<string>()
  for (const route of routes) {
    const name = `${route.method} ${route.path.replace(/:\w+/g, ':')}`
    assert(!names.has(name), `there are two routes for ${route.method} ${route.path}`)
    names.add(name)
  }
  const rank = ({ path }: Route) =>
    path
      .split('/')
      .map((segment) => (segment.startsWith(':') ? '1' : '0'))
      .join('')
  return [...routes].sort((one, other) => (rank(one) < rank(other) ? -1 : rank(one) > rank(other) ? 1 : 0))
}
