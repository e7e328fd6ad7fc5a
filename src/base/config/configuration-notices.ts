/** What a user should be told about a configuration that is legal: keys that mean nothing, options that are not read. */
import type { Logger } from '../logger.ts'
import { type ConfigurationEntry, type ConfigurationLayer, originOf, type ReadLayer } from './configuration-layer.ts'
import { nearestKey } from './nearest-key.ts'
import { synonymOf } from './option-value.ts'
import { findOption, knownNames } from './options.ts'

export interface ConfigurationNotice {
  readonly severity: 'info' | 'warn'
  readonly message: string
}

/** One line each. */
export function logNotices(notices: readonly ConfigurationNotice[], logger: Logger): void {
  for (const { severity, message } of notices) logger[severity](message)
}

/** `layers` strongest first. */
export function noticesOf(layers: readonly ReadLayer[]): readonly ConfigurationNotice[] {
  const naming = layers.findIndex(({ values }) => values.has('restart-strategy.type'))
  return layers.flatMap((read, index) =>
    read.layer.entries.flatMap((entry) => {
      // Weaker levels than the one that names the strategy are overruled as everywhere: no need to say so.
      const unread = naming < 0 || index < naming
      const notice = noticeOf(read, entry, unread, layers[naming])
      return notice === undefined ? [] : [notice]
    }),
  )
}

function noticeOf(
  read: ReadLayer,
  entry: ConfigurationEntry,
  strategyUnread: boolean,
  naming: ReadLayer | undefined,
): ConfigurationNotice | undefined {
  const where = originOf(read.layer, entry)
  const option = findOption(entry.key)
  if (option === undefined) return { severity: 'warn', message: unknownKey(entry.key, where) }
  if (read.values.get(option.key)?.entry !== entry)
    return { severity: 'warn', message: `${where}: ${entry.key} is given twice; this one is not read.` }
  if (strategyUnread && option.key.startsWith('restart-strategy.'))
    return { severity: 'warn', message: strategyElsewhere(entry.key, where, naming?.layer) }
  if (option.definition.effect === 'later')
    return { severity: 'warn', message: `${where}: ${entry.key} is accepted but has no effect in this version.` }
  const meant = option.key === 'state.backend.type' ? synonymOf(option.definition, entry.value) : undefined
  if (meant !== undefined)
    return { severity: 'info', message: `${where}: ${entry.key} is ${entry.value}, which means ${meant} here.` }
  return undefined
}

function unknownKey(key: string, where: string): string {
  const nearest = nearestKey(key, knownNames())
  const advice = nearest === undefined ? 'No known key is like it' : `Did you mean ${nearest}`
  return `${where}: the key ${key} is not known and has no effect. ${advice}${nearest === undefined ? '.' : '?'}`
}

function strategyElsewhere(key: string, where: string, naming: ConfigurationLayer | undefined): string {
  if (naming === undefined) return `${where}: ${key} is not read, because restart-strategy.type is not given.`
  const level = naming.level === 'file' ? (naming.path ?? 'the file') : `the ${naming.level}`
  return `${where}: ${key} is not read, because restart-strategy.type is given by ${level}.`
}
