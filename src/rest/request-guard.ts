/** Who may ask: pure rules on the head of a request, checked before anything of it is read or looked up. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { hostOf, isAddress, isLoopback } from './addresses.ts'
import type { RestSettings } from './rest-settings.ts'
import { RestFailure } from './route.ts'

export interface RequestHead {
  /** Of the target: it names another host than the Host header where a client asks as one asks a proxy. */
  readonly url: URL
  /** Null: the header was not sent. */
  header(name: string): string | null
}

type Guarded = Pick<RestSettings, 'bindAddress' | 'allowedHosts' | 'token'>

/** What every request must fulfil: it asks for a host that is ours, and shows the token where there is one. */
export function refusalOfRequest(head: RequestHead, settings: Guarded): RestFailure | undefined {
  const host = head.header('host')
  if (host === null || host === '') return new RestFailure(400, 'The request names no host.')
  for (const authority of [host, head.url.host])
    if (!isOurHost(authority, settings))
      return new RestFailure(
        403,
        'This host name is not served here. Use the address on which the server listens, or add the name to rest.allowed-hosts.',
      )
  if (showsToken(head, settings.token)) return undefined
  const what = head.header('authorization') === null ? 'A token is needed' : 'That is not the token of this server'
  return new RestFailure(401, `${what}: send it in the header "Authorization: Bearer <token>".`)
}

/**
 * What a request that changes something must fulfil beside: no page of another origin has made a browser send it. A GET
 * can be sent by any image or link, so that it must prove where it comes from.
 */
export function refusalOfMutation(head: RequestHead, method: string): RestFailure | undefined {
  const site = head.header('sec-fetch-site')
  const origin = head.header('origin')
  const foreign =
    (origin !== null && !isOwn(origin, head)) || (site !== null && site !== 'same-origin' && site !== 'none')
  if (foreign) return new RestFailure(403, 'Pages of another origin change nothing here.')
  if (method !== 'GET' || site === 'same-origin') return undefined
  const from = origin ?? head.header('referer')
  if (site === null && from !== null && isOwn(from, head)) return undefined
  return new RestFailure(403, 'A GET changes something only where the dashboard of this server sends it.')
}

/** Nothing but JSON is read: what an HTML form can send is refused. `application/json` may have parameters. */
export function refusalOfContentType(contentType: string | null): RestFailure | undefined {
  if (contentType !== null && /^application\/json *(;|$)/i.test(contentType)) return undefined
  return new RestFailure(415, 'The body must be JSON, with the header "Content-Type: application/json".')
}

/**
 * A name that somebody else's name server may point at this machine is not ours. Addresses in digits cannot be pointed
 * anywhere: those of the machine are taken where it listens for others.
 */
function isOurHost(authority: string, { bindAddress, allowedHosts }: Guarded): boolean {
  const host = hostOf(authority)
  if (host === undefined) return false
  if (isLoopback(host) || host === bindAddress || allowedHosts.includes(host)) return true
  return !isLoopback(bindAddress) && isAddress(host)
}

/** An Origin or a Referer: of the very host and port that was asked for. */
function isOwn(from: string, head: RequestHead): boolean {
  try {
    return new URL(from).host === new URL(`http://${head.header('host')}`).host
  } catch {
    // `null`, or what is no URL.
    return false
  }
}

/**
 * Equal texts have equal digests, and these are compared in a time that tells nothing of where they differ. No token is the
 * empty text, which is none.
 */
function showsToken(head: RequestHead, token: string | undefined): boolean {
  if (token === undefined) return true
  const shown = shownToken(head.header('authorization') ?? '')
  return timingSafeEqual(digest(shown ?? ''), digest(token))
}

/** A browser cannot be told to send a bearer token: it asks for a name, which may be any, and the token as password. */
function shownToken(authorization: string): string | undefined {
  const bearer = /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization)?.[1]
  if (bearer !== undefined) return bearer
  const basic = /^Basic +([a-z0-9+/]+=*) *$/i.exec(authorization)?.[1]
  return basic === undefined ? undefined : /^[^:]*:(.*)$/s.exec(Buffer.from(basic, 'base64').toString())?.[1]
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
