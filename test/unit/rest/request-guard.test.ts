import { describe, expect, it } from 'vitest'
import {
  type RequestHead,
  refusalOfContentType,
  refusalOfMutation,
  refusalOfRequest,
} from '../../../src/rest/request-guard.ts'

function head(headers: Readonly<Record<string, string>>, url = 'http://127.0.0.1:8081/jobs'): RequestHead {
  const all: Readonly<Record<string, string>> = { host: '127.0.0.1:8081', ...headers }
  return { url: new URL(url), header: (name) => all[name] ?? null }
}

const LOOPBACK = { bindAddress: '127.0.0.1', allowedHosts: [], token: undefined }

describe('the host that a request asks for', () => {
  const statusOf = (host: string, settings = {}) =>
    refusalOfRequest(head({ host }), { ...LOOPBACK, ...settings })?.status

  it.each(['127.0.0.1', '127.0.0.1:8081', 'localhost', 'LOCALHOST:9', 'localhost.', '[::1]:8081', '127.1.2.3'])(
    'is served as %s',
    (host) => expect(statusOf(host)).toBeUndefined(),
  )

  it.each([
    'evil.example',
    '127.0.0.1.evil',
    'localhost.evil',
    'evil.localhost',
    '192.168.1.5',
    '127.0.0.1@evil',
    'evil#127.0.0.1',
    '127.0.0.1 evil',
    '::1',
  ])('is not served as %s', (host) => expect(statusOf(host)).toBe(403))

  it('is needed', () => expect(statusOf('')).toBe(400))

  it('may be a name that was allowed', () => {
    expect(statusOf('flink.intern:8081', { allowedHosts: ['flink.intern'] })).toBeUndefined()
    expect(statusOf('other.intern', { allowedHosts: ['flink.intern'] })).toBe(403)
  })

  it('may be any address in digits, and still no name, where the server listens for others', () => {
    const open = { bindAddress: '0.0.0.0' }
    expect(statusOf('192.168.1.5:8081', open)).toBeUndefined()
    expect(statusOf('[fe80::1]:8081', open)).toBeUndefined()
    expect(statusOf('evil.example', open)).toBe(403)
    expect(statusOf('1.2.3.4.evil', open)).toBe(403)
  })

  it('is looked at in the target as well', () => {
    expect(refusalOfRequest(head({}, 'http://evil.example/jobs'), LOOPBACK)?.status).toBe(403)
  })
})

const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`

describe('the token', () => {
  const statusOf = (headers: Readonly<Record<string, string>>, url?: string) =>
    refusalOfRequest(head(headers, url), { ...LOOPBACK, token: 's3cret' })?.status

  it('is taken from the Authorization header', () => {
    expect(statusOf({ authorization: 'Bearer s3cret' })).toBeUndefined()
    expect(statusOf({ authorization: 'bearer  s3cret ' })).toBeUndefined()
  })

  it('may be the password of any name, as a browser sends what it has asked for', () => {
    for (const pair of ['ada:s3cret', ':s3cret']) expect(statusOf({ authorization: basic(pair) })).toBeUndefined()
    for (const pair of ['s3cret', 's3cret:', 'ada:s3cre', 'ada:s3cret:', 'a:da:s3cret', ''])
      expect(statusOf({ authorization: basic(pair) })).toBe(401)
  })

  it.each(['', 'Bearer', 'Bearer ', 'Bearer s3cre', 'Bearer s3crett', 'Bearer S3CRET', 's3cret', 'Basic s3cret'])(
    'is not %j',
    (authorization) => expect(statusOf({ authorization })).toBe(401),
  )

  it('is said to be another one where one was shown', () => {
    const answerTo = (headers: Readonly<Record<string, string>>) =>
      refusalOfRequest(head(headers), { ...LOOPBACK, token: 's3cret' })?.message
    expect(answerTo({})).toMatch(/^A token is needed: /)
    expect(answerTo({ authorization: 'Bearer other' })).toMatch(/^That is not the token of this server: /)
  })

  it('is taken from nowhere else', () => {
    expect(statusOf({}, 'http://127.0.0.1:8081/jobs?token=s3cret&access_token=s3cret')).toBe(401)
    expect(statusOf({ cookie: 'token=s3cret', 'x-token': 's3cret' })).toBe(401)
  })
})

describe('a request that changes something', () => {
  const statusOf = (headers: Readonly<Record<string, string>>, method = 'POST') =>
    refusalOfMutation(head(headers), method)?.status

  it('may come from a program, which names no origin', () => expect(statusOf({})).toBeUndefined())

  it('may come from a page of this server, also behind TLS', () => {
    expect(statusOf({ origin: 'http://127.0.0.1:8081', 'sec-fetch-site': 'same-origin' })).toBeUndefined()
    expect(statusOf({ host: 'flink.intern', origin: 'https://flink.intern' })).toBeUndefined()
  })

  it.each<[string, Readonly<Record<string, string>>]>([
    ['another site', { origin: 'http://evil.example' }],
    ['another port', { origin: 'http://127.0.0.1:3000' }],
    ['a sandbox', { origin: 'null' }],
    ['no URL', { origin: 'x' }],
    ['what the browser calls another site', { 'sec-fetch-site': 'cross-site' }],
    ['what the browser calls the same site', { 'sec-fetch-site': 'same-site' }],
    ['a browser that contradicts itself', { origin: 'http://127.0.0.1:8081', 'sec-fetch-site': 'cross-site' }],
  ])('may not come from %s', (_, headers) => expect(statusOf(headers)).toBe(403))
})

describe('a GET that changes something', () => {
  const statusOf = (headers: Readonly<Record<string, string>>) => refusalOfMutation(head(headers), 'GET')?.status

  it.each<[string, Readonly<Record<string, string>>]>([
    ['the browser', { 'sec-fetch-site': 'same-origin' }],
    ['the Referer', { referer: 'http://127.0.0.1:8081/#/job' }],
    ['the Origin', { origin: 'http://127.0.0.1:8081' }],
  ])('is of this server where %s says so', (_, headers) => expect(statusOf(headers)).toBeUndefined())

  it.each<[string, Readonly<Record<string, string>>]>([
    ['nothing says where it comes from', {}],
    ['an image of another page asks', { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'image' }],
    ['somebody typed it', { 'sec-fetch-site': 'none' }],
    ['the Referer is another', { referer: 'http://evil.example/http://127.0.0.1:8081/' }],
    [
      'the browser and the Referer contradict each other',
      { 'sec-fetch-site': 'none', referer: 'http://127.0.0.1:8081/' },
    ],
  ])('is refused where %s', (_, headers) => expect(statusOf(headers)).toBe(403))
})

describe('the content type of a body', () => {
  it.each(['application/json', 'application/json; charset=UTF-8', 'Application/JSON;charset=utf-8'])('is %s', (type) =>
    expect(refusalOfContentType(type)).toBeUndefined(),
  )
  it.each([null, 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/jsonx', ''])(
    'is not %s',
    (type) => expect(refusalOfContentType(type)?.status).toBe(415),
  )
})
