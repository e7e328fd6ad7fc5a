/**
 * What every keyed state backend must do, as claims that any test runner can run: each rejects when the claim does not
 * hold. `for (const { claim, run } of stateBackendSuite({ create })) test(claim, run)`.
 */
import { stateClaims } from './state-backend-claims.ts'
import { opener, type StateBackendCase, type StateBackendSuiteOptions } from './state-backend-fixtures.ts'
import { formatClaims } from './state-backend-format-claims.ts'
import { snapshotClaims } from './state-backend-snapshot-claims.ts'
import { ttlClaims } from './state-backend-ttl-claims.ts'
import { ttlSnapshotClaims } from './state-backend-ttl-snapshot-claims.ts'

export type { StateBackendCase, StateBackendSuiteOptions } from './state-backend-fixtures.ts'

/** What every state backend must hold to, as cases for any test framework: a claim in words, and a function that throws where it fails. */
export function stateBackendSuite(options: StateBackendSuiteOptions): readonly StateBackendCase[] {
  const open = opener(options)
  const cleanedUp = options.cleanedUp ?? (() => Promise.resolve())
  return Object.entries({
    ...stateClaims(open),
    ...snapshotClaims(open, options.evicts === true),
    ...formatClaims(open),
    ...ttlClaims(open, cleanedUp),
    ...ttlSnapshotClaims(open, cleanedUp),
  }).map(([claim, run]) => ({
    claim,
    run,
  }))
}
