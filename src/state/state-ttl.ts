/** How long the entries of a state live: what a user writes, checked, and as the states read it. Processing time only, as in Flink. */
import type { Clock } from '../base/clock.ts'
import { type Duration, formatDuration, parseDuration } from '../base/config/duration.ts'
import { nearestKey } from '../base/config/nearest-key.ts'
import { StreamError } from '../base/errors.ts'

/**
 * An entry expires when it was last touched `ttl` or longer ago, on the clock of the machine (processing time). A value,
 * a reducing and an aggregating state expire as a whole, each element of a list and each entry of a map by itself.
 * The age is kept in checkpoints and goes on while a job is down.
 *
 * It may differ from that which wrote a checkpoint, and may come or go: what was written without one is as old as the
 * restore; without one nothing expires any more, not even what had expired and was still stored.
 */
export interface StateTtlConfig {
  /** 1 ms or more: `'7 d'`, `Time.hours(1)`, milliseconds. */
  readonly ttl: Duration
  /** What touches an entry: writing it (default), or reading it too. Reading one that has expired never revives it. */
  readonly updateType?: 'OnCreateAndWrite' | 'OnReadAndWrite' | undefined
  /**
   * Whether an entry that has expired may still be seen: never (default), or until it is removed. The first read that
   * sees it removes it; an expired element of a list may be seen as long as another one of the list lives.
   */
  readonly stateVisibility?: 'NeverReturnExpired' | 'ReturnExpiredIfNotCleanedUp' | undefined
  /** Leaves what has expired out of checkpoints; what is in memory stays. Default: false. */
  readonly cleanupFullSnapshot?: boolean | undefined
  /**
   * Removes what has expired also where nobody reads it: a few entries at each use of the state while there can be some,
   * and by a timer when the state is not used. Default: true.
   */
  readonly cleanupInBackground?: boolean | undefined
}

/** A checked `StateTtlConfig` with its defaults. */
export interface StateTtl {
  readonly ttlMs: number
  readonly updateType: 'OnCreateAndWrite' | 'OnReadAndWrite'
  readonly stateVisibility: 'NeverReturnExpired' | 'ReturnExpiredIfNotCleanedUp'
  readonly cleanupFullSnapshot: boolean
  readonly cleanupInBackground: boolean
}

const UPDATE_TYPES = ['OnCreateAndWrite', 'OnReadAndWrite'] as const
const VISIBILITIES = ['NeverReturnExpired', 'ReturnExpiredIfNotCleanedUp'] as const
const OPTIONS = ['ttl', 'updateType', 'stateVisibility', 'cleanupFullSnapshot', 'cleanupInBackground']

/** Throws CONFIG_INVALID naming state, option, value and what is legal. */
export function stateTtlOf(config: StateTtlConfig, stateName: string): StateTtl {
  const place = `ttl of state '${stateName}'`
  if (typeof config !== 'object' || config === null)
    throw illegal(place, config, "an object of options, such as { ttl: '7 d' }")
  for (const option of Object.keys(config)) if (!OPTIONS.includes(option)) throw unknownOption(place, option)
  return {
    ttlMs: parseDuration(config.ttl, `${place}, option ttl`, { minMs: 1 }),
    updateType: oneOf(config.updateType, UPDATE_TYPES, `${place}, option updateType`),
    stateVisibility: oneOf(config.stateVisibility, VISIBILITIES, `${place}, option stateVisibility`),
    cleanupFullSnapshot: truth(config.cleanupFullSnapshot, false, `${place}, option cleanupFullSnapshot`),
    cleanupInBackground: truth(config.cleanupInBackground, true, `${place}, option cleanupInBackground`),
  }
}

/** Throws STATE_CONFLICT where one state is declared with two. */
export function refuseOtherTtl(stateName: string, known: StateTtl | undefined, other: StateTtl | undefined): void {
  if (known === other || describeTtl(known) === describeTtl(other)) return
  throw new StreamError('STATE_CONFLICT', {
    message: `State '${stateName}' is declared twice: ${describeTtl(known)}, and ${describeTtl(other)}.`,
    hint: 'Use one descriptor for one state, or give each state of an operator a name of its own.',
    details: { state: stateName },
  })
}

/** When something of a state expires, and what its clock says. */
export class Expiry {
  readonly ttl: StateTtl
  readonly ttlMs: number
  readonly refreshesOnRead: boolean
  readonly returnsExpired: boolean
  readonly clock: Clock

  constructor(ttl: StateTtl, clock: Clock) {
    this.ttl = ttl
    this.ttlMs = ttl.ttlMs
    this.refreshesOnRead = ttl.updateType === 'OnReadAndWrite'
    this.returnsExpired = ttl.stateVisibility === 'ReturnExpiredIfNotCleanedUp'
    this.clock = clock
  }

  nowMs(): number {
    return this.clock.now()
  }

  /** By the difference: a sum with the longest of times to live would not be exact. */
  isExpired(touchedMs: number, nowMs: number): boolean {
    return nowMs - touchedMs >= this.ttlMs
  }
}

function describeTtl(ttl: StateTtl | undefined): string {
  if (ttl === undefined) return 'without a time-to-live'
  const { ttlMs, updateType, stateVisibility, cleanupFullSnapshot, cleanupInBackground } = ttl
  const cleanup = [cleanupFullSnapshot ? 'cleanupFullSnapshot' : '', cleanupInBackground ? 'cleanupInBackground' : '']
  const options = [updateType, stateVisibility, ...cleanup].filter((option) => option !== '')
  return `with a time-to-live of ${formatDuration(ttlMs)} (${options.join(', ')})`
}

function oneOf<T extends string>(value: T | undefined, legal: readonly [T, ...T[]], option: string): T {
  if (value === undefined) return legal[0]
  if (legal.includes(value)) return value
  throw illegal(option, value, legal.join(' or '))
}

function truth(value: boolean | undefined, otherwise: boolean, option: string): boolean {
  if (value === undefined) return otherwise
  if (typeof value === 'boolean') return value
  throw illegal(option, value, 'true or false')
}

function illegal(option: string, value: unknown, legal: string): StreamError {
  const shown = typeof value === 'string' ? `"${value}"` : String(value)
  return new StreamError('CONFIG_INVALID', {
    message: `${option}: ${shown} is not legal.`,
    hint: `Legal is ${legal}.`,
    details: { option, value: shown, legal },
  })
}

function unknownOption(place: string, option: string): StreamError {
  const nearest = nearestKey(option, OPTIONS)
  return new StreamError('CONFIG_INVALID', {
    message: `${place}: there is no option "${option}".`,
    hint: `${nearest === undefined ? '' : `Did you mean "${nearest}"? `}The options are ${OPTIONS.join(', ')}.`,
    details: { option, legal: OPTIONS.join(', ') },
  })
}
