import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { StreamError } from '../../../src/base/errors.ts'
import { ALL_ROUTES } from '../../../src/rest/all-routes.ts'
import { restApplication } from '../../../src/rest/rest-application.ts'
import type { RestSettings } from '../../../src/rest/rest-settings.ts'
import { accepted, ok, RestFailure, type RestRequest, type Route } from '../../../src/rest/route.ts'
import { routePath } from '../../../src/rest/router.ts'
import { recordings } from '../../fixtures/flink-rest/recordings.ts'
import { clusterOf } from './cluster-fixture.ts'

interface Sent {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** What it answers, what it logs, and what reached a handler. */
function application(routes: readonly Route[], settings: Partial<RestSettings> = {}) {
  const logged: string[] = []
  const cluster = clusterOf(settings, { error: (line) => void logged.push(line) })
  const bytes = new TextEncoder().encode('<html>')
  const dashboard = { find: (path: string) => (path === '/' ? { bytes, contentType: 'text/html' } : undefined) }
  const respond = restApplication({ routes, cluster, dashboard })
  async function ask(method: string, path: string, { headers = {}, body }: Sent = {}) {
    const length = body === undefined ? {} : { 'content-length': String(body.length) }
    const request = new Request(`http://127.0.0.1:8081${path}`, {
      method: method === 'TRACE' ? 'GET' : method,
      headers: { host: '127.0.0.1:8081', ...length, ...headers },
      ...(body === undefined || method === 'GET' ? {} : { body }),
    })
    if (method === 'TRACE') Object.defineProperty(request, 'method', { value: method })
    const response = await respond(request)
    const text = await response.text()
    const isJson = response.headers.get('content-type') === 'application/json; charset=UTF-8'
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
  }
  return { ask, logged }
}

/** Answers with what it was asked. */
function echo(method: Route['method'], path: string, more: Partial<Route> = {}): Route & { seen: RestRequest[] } {
  const seen: RestRequest[] = []
  return {
    method,
    path,
    seen,
    handle(request) {
      seen.push(request)
      return ok({ path, parameters: request.parameters })
    },
    ...more,
  }
}

const JSON_BODY = { 'content-type': 'application/json' }

describe('a path', () => {
  const routes = [
    echo('GET', '/jobs/:jobid/checkpoints/:triggerid'),
    echo('GET', '/jobs/:jobid'),
    echo('GET', '/jobs/overview'),
    echo('GET', '/jobs/:jobid/checkpoints/config'),
    echo('GET', '/jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex'),
    echo('GET', '/jobs/:jobid/vertices/:vertexid/subtasks/metrics'),
  ]

  it.each(['/jobs/overview', '/v1/jobs/overview', '/jobs/overview/', '//jobs/overview', '/v1//jobs///overview//'])(
    'is the same as %s',
    async (path) => expect((await application(routes).ask('GET', path)).body).toMatchObject({ path: '/jobs/overview' }),
  )

  it('leads to the name that it holds before it leads to a parameter', async () => {
    const { ask } = application(routes)
    expect((await ask('GET', '/jobs/7/checkpoints/config')).body).toMatchObject({
      path: '/jobs/:jobid/checkpoints/config',
    })
    expect((await ask('GET', '/jobs/7/vertices/8/subtasks/metrics')).body.parameters).toEqual({
      jobid: '7',
      vertexid: '8',
    })
    expect((await ask('GET', '/jobs/7/vertices/8/subtasks/0')).body.parameters).toMatchObject({ subtaskindex: '0' })
  })

  it('is decoded once', async () => {
    const { ask } = application(routes)
    expect((await ask('GET', '/jobs/a%20%252f')).body.parameters).toEqual({ jobid: 'a %2f' })
    expect((await ask('GET', '/jobs/..%2f..%2fetc')).body.parameters).toEqual({ jobid: '../../etc' })
    expect((await ask('GET', '/jobs/%ff')).body.parameters).toEqual({ jobid: '%ff' })
  })

  it('has no other version than the first', async () => {
    const { ask } = application(routes)
    for (const path of ['/v2/jobs/overview', '/v1/v1/jobs/overview', '/V1/jobs/overview'])
      expect((await ask('GET', path)).body).toEqual({ errors: [`Unable to load requested file ${path}.`] })
    expect(routePath('/v1')).toBe('/v1')
  })

  it('has its route in the list of all, with every file of routes', () => {
    const folder = new URL('../../../src/rest/routes/', import.meta.url)
    const joined = readFileSync(new URL('../all-routes.ts', folder), 'utf8')
    expect(readdirSync(folder).filter((name) => !joined.includes(`'./routes/${name}'`))).toEqual([])
  })

  it('cannot have two routes', () => {
    const twice = [echo('GET', '/jobs/:jobid'), echo('GET', '/jobs/:id')]
    expect(() => application(twice)).toThrow('there are two routes for GET /jobs/:id.')
  })
})

describe('a request without a route', () => {
  const whole = application(ALL_ROUTES)
  const recorded = Object.entries(recordings('errors')).filter(
    ([name, { type }]) =>
      type !== undefined && /^(method-|unknown-path|unknown-version|stop-status-path)/.test(name) && !/head/.test(name),
  )

  it('is among the recordings', () => expect(recorded.length).toBeGreaterThanOrEqual(16))

  it.each(recorded)('is answered as recorded: %s', async (_, { method, path, status, body }) => {
    const answer = await whole.ask(method, path)
    expect({ status: answer.status, body: answer.body }).toEqual({ status, body })
  })

  it('is 404 also as HEAD of a path that has one', async () => {
    const answer = await application([echo('GET', '/config')]).ask('HEAD', '/config')
    expect(answer.status).toBe(404)
  })

  it('gets the file of the dashboard where there is one, for GET alone', async () => {
    const { ask } = application([])
    const file = await ask('GET', '/')
    expect(file).toMatchObject({ status: 200, body: '<html>' })
    expect(file.headers.get('cache-control')).toBe('private, max-age=300')
    expect(file.headers.get('expires')).toBe('Thu, 01 Jan 1970 00:05:00 GMT')
    expect((await ask('POST', '/')).body).toEqual({ errors: ['Not found: /'] })
  })
})

describe('a body', () => {
  it('of a GET is dropped, whatever it is', async () => {
    const route = echo('GET', '/jobs')
    await application([route]).ask('GET', '/jobs', { body: '{}', headers: { 'content-type': 'text/plain' } })
    expect(route.seen[0]?.body).toEqual({})
  })

  it('is handed on as JSON, and as undefined where it is none', async () => {
    const route = echo('PATCH', '/jobs/:jobid')
    const { ask } = application([route])
    await ask('PATCH', '/jobs/1', { body: '{"a":null}', headers: JSON_BODY })
    await ask('PATCH', '/jobs/1')
    await ask('PATCH', '/jobs/1', { body: '{', headers: JSON_BODY })
    expect(route.seen.map(({ body }) => body)).toEqual([{ a: null }, {}, undefined])
  })

  it('that a form can send is refused, but for a route that reads none', async () => {
    const [route, submit] = [echo('POST', '/a'), echo('POST', '/jobs', { body: 'ignored' })]
    const { ask } = application([route, submit])
    expect((await ask('POST', '/a', { body: '{}', headers: { 'content-type': 'text/plain' } })).status).toBe(415)
    expect(route.seen).toEqual([])
    await ask('POST', '/jobs', { body: 'x'.repeat(2e6), headers: { 'content-type': 'multipart/form-data' } })
    expect(submit.seen[0]?.body).toEqual({})
  })

  it('over a mebibyte is refused, and the connection ends', async () => {
    const { status, headers } = await application([echo('POST', '/a')]).ask('POST', '/a', {
      body: ' '.repeat(1024 * 1024 + 1),
      headers: JSON_BODY,
    })
    expect([status, headers.get('connection')]).toEqual([413, 'close'])
  })
})

describe('a request that is refused', () => {
  const foreign = { origin: 'http://evil.example' }

  it('reaches no handler: another host, no token, another origin', async () => {
    const routes = [
      echo('GET', '/jobs'),
      echo('POST', '/jobs'),
      echo('GET', '/jobs/:jobid/yarn-cancel', { mutates: true }),
    ]
    const { ask } = application(routes, { token: 't' })
    const shown = { authorization: 'Bearer t' }
    expect((await ask('GET', '/jobs', { headers: { ...shown, host: 'evil.example' } })).status).toBe(403)
    expect((await ask('GET', '/', { headers: { ...shown, host: 'evil.example' } })).status).toBe(403)
    const unknown = await ask('GET', '/jobs')
    const asked = 'Basic realm="millrace", Bearer realm="millrace"'
    expect([unknown.status, unknown.headers.get('www-authenticate')]).toEqual([401, asked])
    expect((await ask('GET', '/')).status).toBe(401)
    expect((await ask('POST', '/jobs', { headers: { ...shown, ...foreign } })).status).toBe(403)
    expect((await ask('GET', '/jobs/1/yarn-cancel', { headers: shown })).status).toBe(403)
    expect(routes.flatMap(({ seen }) => seen)).toEqual([])
    expect((await ask('GET', '/jobs', { headers: { ...shown, ...foreign } })).status).toBe(200)
  })

  it('gets an object of nothing but errors', async () => {
    const refusing: Route = {
      method: 'GET',
      path: '/a',
      handle() {
        throw new RestFailure(409, 'no', 'and why')
      },
    }
    expect(await application([refusing]).ask('GET', '/a')).toMatchObject({
      status: 409,
      body: { errors: ['no', 'and why'] },
    })
  })
})

describe('an error that nobody expected', () => {
  const throwing = (thrown: unknown): Route => ({
    method: 'GET',
    path: '/a',
    async handle() {
      throw thrown
    },
  })
  const told = (what: string) => [
    'Internal server error.',
    `<Exception on server side:\n${what}\nEnd of exception on server side>`,
  ]

  it('is logged whole, and told without words that may be secret', async () => {
    const { ask, logged } = application([throwing(new TypeError('password=hunter2'))])
    const { status, body } = await ask('GET', '/a')
    expect({ status, errors: body.errors }).toEqual({ status: 500, errors: told('TypeError: see the log') })
    expect(logged).toEqual([expect.stringMatching(/^REST: GET "\/a" failed: TypeError: password=hunter2\n +at /)])
  })

  it('is told in our own words where it is ours, and may be no Error at all', async () => {
    const ours = new StreamError('FILE_ERROR', { message: 'Could not read.' })
    expect((await application([throwing(ours)]).ask('GET', '/a')).body.errors).toEqual(
      told('FILE_ERROR: Could not read.'),
    )
    expect((await application([throwing(undefined)]).ask('GET', '/a')).body.errors).toEqual(
      told('undefined: see the log'),
    )
  })
})

describe('every answer', () => {
  const routes = [echo('GET', '/jobs'), { ...echo('POST', '/jobs'), handle: () => accepted({}) }]

  it.each(['GET /jobs', 'POST /jobs', 'GET /nope', 'OPTIONS /jobs'])(
    'to %s has the headers of the checklist',
    async (line) => {
      const [method = '', path = ''] = line.split(' ')
      const { headers } = await application(routes).ask(method, path)
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'self'; .*frame-ancestors 'none'$/)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('x-powered-by')).toBeNull()
      expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([])
    },
  )

  it('may be read by pages of the origin that was allowed, and no page may send more', async () => {
    const { ask } = application(routes, { allowedOrigin: 'https://grafana.intern' })
    const { headers } = await ask('GET', '/jobs')
    expect([headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual([
      'https://grafana.intern',
      'Origin',
    ])
    const origin = { origin: 'https://grafana.intern', 'access-control-request-method': 'POST' }
    expect((await ask('OPTIONS', '/jobs', { headers: origin })).status).toBe(404)
    expect((await ask('POST', '/jobs', { headers: origin })).status).toBe(403)
  })
})

describe('a query of 50 kB', () => {
  it('is answered, whatever parameter it is', async () => {
    const { ask } = application(ALL_ROUTES)
    const long = `${'a'.repeat(50_000)}!`
    for (const name of ['get', 'agg', 'jobs', 'mode'])
      for (const path of ['/jobs/metrics', '/jobs/overview'])
        expect((await ask('GET', `${path}?${name}=${long}`)).status).toBeLessThanOrEqual(400)
  })
})
