/** What a program may say about a REST server, and the check of it. What it leaves out, the configuration says. */
import { refused } from '../api/operator-settings.ts'
import type { ConfigurationReader } from '../base/config/configuration-reader.ts'
import { StreamError } from '../base/errors.ts'

/** How a REST server listens and what it allows. Each stands above the option of the configuration that is named with it. */
export interface RestServerOptions {
  /** A port, or a range such as '8081-8090' of which the first free one is taken; 0: any. `rest.bind-port`, then `rest.port`. */
  readonly port?: number | string | undefined
  /** The address to listen on; localhost when left out: `rest.bind-address`. */
  readonly host?: string | undefined
  /** What every request must show as `Authorization: Bearer`. Without one it listens on the loopback alone. */
  readonly token?: string | undefined
  /** A file with the token, which only its owner has rights on: `rest.token-file`. */
  readonly tokenFile?: string | undefined
  /** Listen on other addresses than the loopback without a token: `rest.insecure`. */
  readonly insecure?: boolean | undefined
  /** Folder with the files of a dashboard: `web.dir`. */
  readonly dashboard?: string | undefined
  /** Names beside the loopback's under which it may be asked for: `rest.allowed-hosts`. */
  readonly allowedHosts?: readonly string[] | undefined
  /** Folders in which a request may have savepoints written or deleted: `rest.savepoint-roots`. */
  readonly savepointRoots?: readonly string[] | undefined
}

/**
 * From plain JavaScript anything may come. Throws INVALID_ARGUMENT, for an unknown name as well: a token whose name is
 * mistyped must not be no token.
 */
export function checkRestServerOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null) throw refused('restServer', options, 'an object of options')
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(LEGAL, name))
  if (unknown !== undefined)
    throw refused('restServer', unknown, `options of these names: ${Object.keys(LEGAL).join(', ')}`)
  for (const [name, { legal, test }] of Object.entries(LEGAL)) {
    const value: unknown = Reflect.get(options, name)
    if (value !== undefined && !test(value))
      throw refused(`restServer (${name})`, name === 'token' ? 'what was given' : value, legal)
  }
}

/** `8081`, `8081-8090`. Undefined for what is neither. */
export function portsOf(text: string | number): readonly number[] | undefined {
  const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(String(text)) ?? []
  const count = Number(last) - Number(first) + 1
  if (first === '' || !(count >= 1) || Number(last) > 65_535) return undefined
  return Array.from({ length: count }, (_, index) => Number(first) + index)
}

/** The ports of an option of the configuration. Throws CONFIG_INVALID. */
export function portsOfOption(
  configuration: ConfigurationReader,
  key: 'rest.bind-port' | 'metrics.reporter.prom.port',
  value: string | number,
): readonly number[] {
  const ports = portsOf(value)
  if (ports !== undefined) return ports
  throw new StreamError('CONFIG_INVALID', {
    message: `${key}: ${value} is no range of ports (${configuration.originOf(key)}).`,
    hint: 'Give a port from 0 to 65535, or a range such as 8081-8090.',
    details: { key, value },
  })
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
const path = { legal: 'a path', test: isText }
const texts = (legal: string) => ({
  legal,
  test: (value: unknown) => Array.isArray(value) && value.every(isText),
})

const LEGAL: Readonly<
  Record<keyof RestServerOptions, { readonly legal: string; readonly test: (value: unknown) => boolean }>
> = {
  port: {
    legal: "a port from 0 to 65535, or a range such as '8081-8090'",
    test: (value) => (typeof value === 'number' || typeof value === 'string') && portsOf(value) !== undefined,
  },
  host: { legal: 'an address or the name of this host', test: isText },
  token: { legal: 'visible ASCII characters without spaces', test: (value) => isToken(value) },
  tokenFile: path,
  insecure: { legal: 'true or false', test: (value) => typeof value === 'boolean' },
  dashboard: path,
  allowedHosts: texts('an array of host names'),
  savepointRoots: texts('an array of folders'),
}

export function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)
}
