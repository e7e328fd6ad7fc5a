/** Which keys of a configuration hold secrets, by Flink's rule, and how these are shown instead. Pure. */

/** What stands in place of a secret. */
export const HIDDEN = '******'

/** A key that contains one of these, however it is written. */
const PARTS = [
  ...['password', 'secret', 'token', 'apikey', 'api-key', 'service-key', 'auth-params', 'basic-auth', 'jaas.config'],
  ...['fs.azure.account.key', 'http-headers'],
]

/** Shorter ones are found in any text: hiding them would hide the text. */
const SHORTEST = 4

export function isSensitiveKey(key: string): boolean {
  const lower = key.toLowerCase()
  return PARTS.some((part) => lower.includes(part))
}

/** For display: the value, or `******` where the key says that it is a secret. */
export function redacted(key: string, value: string): string {
  return isSensitiveKey(key) ? HIDDEN : value
}

/** Gives a function that puts `******` in place of each of these secrets, wherever in a text it stands. */
export function hideSecrets(secrets: Iterable<string>): (text: string) => string {
  // A secret that contains another one goes first, or its rest would stay.
  const hidden = [...new Set(secrets)]
    .filter(({ length }) => length >= SHORTEST)
    .sort((one, other) => other.length - one.length)
  return (text) => hidden.reduce((left, secret) => left.replaceAll(secret, HIDDEN), text)
}
