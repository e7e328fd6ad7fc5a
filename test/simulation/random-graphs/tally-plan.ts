/** What stands in the plans of a run, and what a run must have met to prove anything. */

import { BACKENDS, MODES, OPERATION_TYPES, PARTITIONERS, type Plan, SINK_KINDS, SOURCE_KINDS, STATES } from './plan.ts'
import { KEY_KINDS } from './records.ts'
import type { Tally } from './trouble.ts'

export function tallyPlan({ sources, nodes, sinks, read, settings, lives }: Plan, tally: Tally): void {
  tally.add('plans')
  for (const { kind } of sources) tally.add(`sources: ${kind}`)
  for (const { operation, inputs, parallelism, chaining } of nodes) {
    tally.add(`operators: ${operation.type}`)
    if ('key' in operation) tally.add(`keys: ${operation.key}`)
    if ('state' in operation) tally.add(`states: ${operation.state}${operation.ttl ? ' with a time-to-live' : ''}`)
    for (const { partitioner } of inputs) tally.add(`partitioners: ${partitioner}`)
    tally.add(`parallelism: ${parallelism === 'as input' ? 'as the input' : parallelism[0]}`)
    tally.add(`chaining: ${chaining}`)
    const isSelf = inputs.length > 1 && new Set(inputs.map(({ stream }) => stream)).size === 1
    if (isSelf) tally.add('operators: of one stream twice')
  }
  for (const { kind, input } of sinks) {
    tally.add(`sinks: ${kind}`)
    tally.add(`partitioners: ${input.partitioner}`)
  }
  if (read !== undefined) tally.add('sinks: executeAndCollect')
  if (settings.freeze) tally.add('settings: debug-freeze')
  if (settings.concurrent > 1) tally.add('settings: concurrent checkpoints')
  if (settings.credit <= 2) tally.add('settings: credit of 1 or 2')
  for (const { link } of lives) tally.add(`links: ${link}`)
  tally.add(`backends: ${settings.backend}`)
  tally.add(`modes: ${settings.mode}`)
}

/** What has not occurred at all, and what has occurred too seldom for a run of so many plans. */
export function missing(tally: Tally, plans: number): readonly string[] {
  const each = [
    ...SOURCE_KINDS.map((kind) => `sources: ${kind}`),
    ...OPERATION_TYPES.map((type) => `operators: ${type}`),
    ...KEY_KINDS.map((kind) => `keys: ${kind}`),
    ...STATES.map((state) => `states: ${state}`),
    ...PARTITIONERS.map((partitioner) => `partitioners: ${partitioner}`),
    ...SINK_KINDS.map((kind) => `sinks: ${kind}`),
    'sinks: executeAndCollect',
    'thrown in step',
    'commit tried again',
    'disk waited',
    ...BACKENDS.map((backend) => `backends: ${backend}`),
    ...MODES.map((mode) => `modes: ${mode}`),
    'savepoints: CANONICAL taken',
    'savepoints: NATIVE taken',
    'savepoints: stopped with CANONICAL',
    'savepoints: stopped with NATIVE',
    'savepoints: from ',
    'restored: rows of operator state',
    'restored: rows that a source did not read again',
    'restored: sums of keyed state',
    'restored: entries of broadcast state',
    'resumed: at the same parallelism',
    'in flight: restores at another parallelism',
  ].map((what) => ({ what, least: 1 }))
  const often = [
    { what: 'job: checkpoints completed', least: 2 * plans },
    { what: 'job: restarts from a checkpoint', least: plans / 4 },
    { what: 'modes: unaligned', least: plans / 5 },
    { what: 'modes: alternating', least: plans / 5 },
    // Without them nothing is proved of barriers that overtake.
    { what: 'in flight: checkpoints that captured', least: plans / 5 },
    { what: 'in flight: restores', least: plans / 20 },
    { what: 'thrown in call', least: plans / 4 },
    { what: 'thrown in commit', least: plans / 10 },
    { what: 'processes: died', least: plans / 10 },
    { what: 'resumed: at another parallelism', least: plans / 10 },
    { what: 'disk refused', least: plans / 25 },
    // Few of a short run are stopped where all of that comes together.
    { what: 'savepoints: from hashmap to leveldb', least: Math.floor(plans / 100) },
    { what: 'savepoints: from leveldb to hashmap', least: Math.floor(plans / 100) },
    { what: 'timers: windows while rows came', least: plans },
  ]
  return [...each, ...often].flatMap(({ what, least }) => {
    const count = tally.of(what)
    return count >= least ? [] : [`${what}: ${count}, which is less than ${least}`]
  })
}
