/** Jar files, which nobody can submit here: the list is empty and stays so. */
import { handlerRefusal } from '../refusals.ts'
import { ok, type Route } from '../route.ts'

/** GET /jars, with an address that is relative to the dashboard's; everything that would store or run one: 501, and nothing of the body is kept. */
export const jarsRoutes: readonly Route[] = [
  { method: 'GET', path: '/jars', handle: () => ok({ address: '.', files: [] }) },
  refusing('POST', '/jars/upload'),
  refusing('DELETE', '/jars/:jarid'),
  refusing('GET', '/jars/:jarid/plan'),
  refusing('POST', '/jars/:jarid/plan'),
  refusing('POST', '/jars/:jarid/run'),
  refusing('POST', '/jars/:jarid/run-application'),
]

function refusing(method: Route['method'], path: string): Route {
  return {
    method,
    path,
    body: 'ignored',
    handle() {
      throw handlerRefusal(501, 'This server takes no jar files: a job is a program that embeds it.')
    },
  }
}
