/** Addresses and host names as text: which mean this machine, and which name no host but are one. Resolves nothing. */

/** Nobody outside of this machine reaches what listens there. A name other than `localhost` counts as reached. */
export function isLoopback(host: string): boolean {
  const name = bareHost(host)
  return name === 'localhost' || name === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name)
}

/** An address in digits: no name server says what it means. */
export function isAddress(host: string): boolean {
  const name = bareHost(host)
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(name) || (name.includes(':') && /^[0-9a-f:.]+$/.test(name))
}

/** Lower case, without the brackets of an IPv6 address and without a last dot. */
export function bareHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
}

/** As it stands in front of a port in a URL: an IPv6 address in brackets. */
export function inUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

/** The host of a Host header or the like, without its port; undefined for what is none. */
export function hostOf(authority: string): string | undefined {
  const host = /^(\[[0-9A-Fa-f:.]+\]|[^[\]:/@\\?#\s]+)(:\d{1,5})?$/.exec(authority)?.[1]
  return host === undefined ? undefined : bareHost(host)
}
