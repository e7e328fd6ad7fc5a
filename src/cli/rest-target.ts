/** Which REST interface a command speaks to, and how: from its arguments, then from the environment. */
import type { ConfigurationEntry } from '../base/config/configuration-layer.ts'
import { ConfigurationReader } from '../base/config/configuration-reader.ts'
import { StreamError } from '../base/errors.ts'
import type { ProcessBoundary } from './process-boundary.ts'
import type { RestClientOptions } from './rest-client.ts'

export interface RestTarget {
  /** `-m`. */
  readonly address: string | undefined
  readonly tokenFile: string | undefined
  /** `-D`. */
  readonly entries: readonly ConfigurationEntry[]
}

type Boundary = Pick<ProcessBoundary, 'environment' | 'files' | 'absolutePath'>

/** Rejects with COMMAND_INVALID for an address or a token that cannot be used, and CONFIG_INVALID for a bad value of `-D`. */
export async function resolveTarget(
  target: RestTarget,
  boundary: Boundary,
): Promise<Pick<RestClientOptions, 'address' | 'token' | 'timeoutMs' | 'retry'>> {
  const configuration = new ConfigurationReader([{ level: 'command line', entries: target.entries }])
  return {
    address: addressOf(target, configuration, boundary.environment),
    token: await tokenOf(target, boundary),
    timeoutMs: configuration.get('client.timeout'),
    retry: {
      attempts: configuration.get('rest.retry.max-attempts'),
      delayMs: configuration.get('rest.retry.delay'),
    },
  }
}

function addressOf(
  target: RestTarget,
  configuration: ConfigurationReader,
  environment: Boundary['environment'],
): string {
  if (target.address !== undefined) return baseUrl(target.address, '-m')
  if (configuration.isSet('rest.address') || configuration.isSet('rest.port'))
    return baseUrl(`${configuration.get('rest.address')}:${configuration.get('rest.port')}`, '-D rest.address')
  const named = environment.MILLRACE_ADDRESS
  return named ? baseUrl(named, '$MILLRACE_ADDRESS') : 'http://localhost:8081'
}

/**
 * `host:port`, or a URL of http or https, with a path where a proxy needs one. Without a slash at its end.
 * Throws COMMAND_INVALID.
 */
function baseUrl(text: string, origin: string): string {
  const isUrl = /^https?:\/\//i.test(text)
  const url = URL.canParse(isUrl ? text : `http://${text}`) ? new URL(isUrl ? text : `http://${text}`) : undefined
  if (url?.username || url?.password)
    throw badAddress('The address', origin, 'holds a user or a password', 'Arguments are seen by other processes.')
  const isPlain = url !== undefined && url.search === '' && url.hash === '' && !/[\s\\@]/.test(text)
  // The port may be the usual one of http, which a URL leaves out.
  if (!isPlain || (!isUrl && !/^[^/?#]+:\d{1,5}$/.test(text)))
    throw badAddress(`The address '${text}'`, origin, 'is neither host:port nor a URL of http or https')
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}

async function tokenOf({ tokenFile }: RestTarget, boundary: Boundary): Promise<string | undefined> {
  const { MILLRACE_TOKEN, MILLRACE_TOKEN_FILE } = boundary.environment
  if (tokenFile !== undefined) return tokenInFile(tokenFile, '--token-file', boundary)
  if (MILLRACE_TOKEN) return checkedToken(MILLRACE_TOKEN, '$MILLRACE_TOKEN')
  return MILLRACE_TOKEN_FILE ? tokenInFile(MILLRACE_TOKEN_FILE, '$MILLRACE_TOKEN_FILE', boundary) : undefined
}

async function tokenInFile(path: string, origin: string, { files, absolutePath }: Boundary): Promise<string> {
  const absolute = absolutePath(path)
  if ((await files.stat(absolute))?.kind !== 'file')
    throw new StreamError('COMMAND_INVALID', {
      message: `The token file '${absolute}' (${origin}) is not there.`,
      hint: 'Write the token of the server into it, and let nobody else read it.',
    })
  const text = new TextDecoder().decode(await files.read(absolute))
  return checkedToken(text.trim(), `${absolute}, ${origin}`)
}

/** It is never repeated in a message. */
function checkedToken(token: string, origin: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new StreamError('COMMAND_INVALID', {
    message: `The token (${origin}) is empty or holds a character that no token has.`,
    hint: 'A token is one line of printable characters without blanks.',
  })
}

function badAddress(what: string, origin: string, why: string, more = ''): StreamError {
  return new StreamError('COMMAND_INVALID', {
    message: `${what} (${origin}) ${why}.`,
    hint: `Write localhost:8081, [::1]:8081 or https://host/prefix. ${more}`.trim(),
  })
}
