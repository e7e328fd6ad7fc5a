/** How a REST server listens and what it allows: read once, from its options first, then from the configuration. */
import type { ConfigurationReader } from '../base/config/configuration-reader.ts'
import { StreamError } from '../base/errors.ts'
import { localPath } from '../base/paths.ts'
import { type PrivateFile, readPrivateFile } from '../base/private-file.ts'
import { bareHost, isLoopback } from './addresses.ts'
import { isToken, portsOfOption, type RestServerOptions } from './rest-server-options.ts'

export interface RestSettings {
  /** What it listens on. */
  readonly bindAddress: string
  /** The first free one is taken. 0: any. */
  readonly ports: readonly number[]
  /** Undefined: nobody has to show one; then it listens on the loopback alone, or `insecure` was said. */
  readonly token: string | undefined
  /** Names beside the loopback's that may stand in the Host header. */
  readonly allowedHosts: readonly string[]
  /** `web.access-control-allow-origin` */
  readonly allowedOrigin: string | undefined
  /** Folder with the files of a dashboard. */
  readonly dashboard: string | undefined
  /** Folders under which a request may name directories for savepoints; the configured ones always. Real paths are compared. */
  readonly savepointRoots: readonly string[]
  readonly refreshIntervalMs: number
  readonly cancelEnabled: boolean
  /** How long a result can be asked for. */
  readonly storeDurationMs: number
}

/**
 * Rejects with REST_UNPROTECTED where everybody could rule the jobs: another address than the loopback without a token, a
 * file of the token that others have rights on or that cannot be read.
 */
export async function readRestSettings(
  options: RestServerOptions,
  configuration: ConfigurationReader,
  readToken: (path: string) => Promise<PrivateFile> = readPrivateFile,
): Promise<RestSettings> {
  const bindAddress = addressOf(options.host ?? configuration.get('rest.bind-address'))
  const tokenFile = options.tokenFile ?? configuration.get('rest.token-file')
  const token = options.token ?? (tokenFile === undefined ? undefined : await tokenIn(tokenFile, readToken))
  const insecure = options.insecure ?? configuration.get('rest.insecure')
  if (token === undefined && !insecure && !isLoopback(bindAddress)) throw openToAll(bindAddress)
  const dashboard = options.dashboard ?? configuration.get('web.dir')
  return {
    bindAddress,
    ports: portsToTry(options, configuration),
    token,
    allowedHosts: (options.allowedHosts ?? listOf(configuration.get('rest.allowed-hosts'))).map(bareHost),
    allowedOrigin: configuration.get('web.access-control-allow-origin'),
    dashboard: dashboard === undefined ? undefined : localPath(dashboard),
    savepointRoots: (options.savepointRoots ?? listOf(configuration.get('rest.savepoint-roots'))).map(localPath),
    refreshIntervalMs: configuration.get('web.refresh-interval'),
    cancelEnabled: configuration.get('web.cancel.enable'),
    storeDurationMs: configuration.get('rest.async.store-duration'),
  }
}

function portsToTry({ port }: RestServerOptions, configuration: ConfigurationReader): readonly number[] {
  const onlyPort = !configuration.isSet('rest.bind-port') && configuration.isSet('rest.port')
  const configured = onlyPort ? configuration.get('rest.port') : configuration.get('rest.bind-port')
  return portsOfOption(configuration, 'rest.bind-port', port ?? configured)
}

/** The name is not looked up: what it means would depend on the host's tables. */
function addressOf(host: string): string {
  const name = bareHost(host)
  return name === 'localhost' ? '127.0.0.1' : name
}

async function tokenIn(path: string, read: (path: string) => Promise<PrivateFile>): Promise<string> {
  const { text, openToOthers } = await read(path).catch((refusal: unknown): never => {
    throw unreadable(path, refusal)
  })
  if (openToOthers)
    throw new StreamError('REST_UNPROTECTED', {
      message: `Others than its owner have rights on '${path}', the file of the token of the REST server.`,
      hint: `Make a new token, and take the rights away: chmod 600 ${path}`,
      details: { path },
    })
  const token = text.trim()
  if (isToken(token)) return token
  throw new StreamError('REST_UNPROTECTED', {
    message: `'${path}', the file of the token of the REST server, holds no token.`,
    hint: 'Write one line of visible ASCII characters without spaces into it, 32 or more of them drawn at random.',
    details: { path },
  })
}

function unreadable(path: string, cause: unknown): StreamError {
  return new StreamError('REST_UNPROTECTED', {
    message: `'${path}', the file of the token of the REST server, cannot be read.`,
    hint: 'Name the file in rest.token-file (or the option `tokenFile`) as it is seen from the folder of the process.',
    details: { path },
    cause,
  })
}

function openToAll(bindAddress: string): StreamError {
  return new StreamError('REST_UNPROTECTED', {
    message: `The REST server does not listen on ${bindAddress} without a token: whoever reaches it could rule the jobs.`,
    hint: 'Set rest.token-file, or the option `token`; rest.insecure lets it listen without. Left out, the address is 127.0.0.1.',
    details: { bindAddress },
  })
}

/** As Flink's lists: with `;` between them. */
function listOf(text: string | undefined): readonly string[] {
  return (text ?? '').split(';').flatMap((one) => (one.trim() === '' ? [] : [one.trim()]))
}
