/** Asks the handlers of routes, with the real router and no server around it. */
import { jsonText } from '../../../../src/rest/json-text.ts'
import type { RestCluster } from '../../../../src/rest/rest-cluster.ts'
import { RestFailure, type Route } from '../../../../src/rest/route.ts'
import { router } from '../../../../src/rest/router.ts'

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes.
  readonly body: any
}

export type Ask = (cluster: RestCluster, method: Route['method'], target: string, body: unknown) => Promise<Answer>

/** What it gives throws where there is no such route; `body` undefined: one that is no JSON. */
export function handlersOf(routes: readonly Route[]): Ask {
  // It answers where the route stands and what it read of the path.
  const find = router(routes, {
    routed: async (route, parameters) => Response.json({ place: routes.indexOf(route), parameters }),
    unknown(request) {
      throw new Error(`no route for ${request.method} ${request.url}`)
    },
  })
  return async (cluster, method, target, body) => {
    const { pathname: path, searchParams: query, href } = new URL(`http://localhost${target}`)
    const found = await find(new Request(href, { method }))
    const { place, parameters } = JSON.parse(await found.text())
    try {
      const answer = await (routes[place] as Route).handle({ path, parameters, query, body }, cluster)
      return { status: answer.status, body: 'json' in answer ? JSON.parse(jsonText(answer.json)) : answer.text }
    } catch (thrown) {
      if (!(thrown instanceof RestFailure)) throw thrown
      return { status: thrown.status, body: { errors: thrown.errors } }
    }
  }
}
