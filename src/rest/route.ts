/** What a handler of the REST API gets and gives: types, and the one way to refuse. Handlers know nothing of HTTP beyond this. */
import type { RestCluster } from './rest-cluster.ts'

export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  /** As Flink registers it, without `/v1`: `/jobs/:jobid/savepoints/:triggerid`. */
  readonly path: string
  /** It changes something. Left out: every method but GET does. */
  readonly mutates?: boolean | undefined
  /** `ignored`: whatever is sent is dropped and `{}` handed on, of any content type. For routes that refuse. */
  readonly body?: 'ignored' | undefined
  /** Throws a RestFailure to refuse. */
  handle(request: RestRequest, cluster: RestCluster): RestAnswer | Promise<RestAnswer>
}

export interface RestRequest {
  /** The path as it was asked for, decoded once. */
  readonly path: string
  /** By the names in the template, decoded once. */
  readonly parameters: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /**
   * The body as JSON; an empty body is `{}`, and so is that of a GET, whatever was sent. Undefined: what was sent is no
   * JSON. Not checked: it may be anything that JSON holds.
   */
  readonly body: unknown
}

export type RestAnswer =
  /** Written by `jsonText`: numbers beyond a JS number may be `LONG_MAX` and `LONG_MIN` of `json-text.ts`. */
  | { readonly status: number; readonly json: unknown }
  | { readonly status: number; readonly text: string; readonly contentType: string }

export const ok = (json: unknown): RestAnswer => ({ status: 200, json })
export const accepted = (json: unknown): RestAnswer => ({ status: 202, json })

/** Answered as `{"errors": [...]}` and nothing else: any further key would make Flink's client take it for a success. */
export class RestFailure extends Error {
  override readonly name = 'RestFailure'
  readonly status: number
  readonly errors: readonly string[]

  constructor(status: number, ...errors: readonly [string, ...string[]]) {
    super(errors[0])
    this.status = status
    this.errors = errors
  }
}
