/**
 * What every keyed state backend must do, as claims that any test runner can run: each rejects when the claim does not
 * hold. `for (const { claim, run } of stateBackendSuite({ create })) test(claim, run)`.
 */
import { stateClaims } from './state-backend-claims.ts'
import { opener, type StateBackendCase, type StateBackendSuiteOptions } from './state-backend-fixtures.ts'
import { snapshotClaims } from './state-backend-snapshot-claims.ts'

export type { StateBackendCase, StateBackendSuiteOptions } from './state-backend-fixtures.ts'

export function stateBackendSuite(options: StateBackendSuiteOptions): readonly StateBackendCase[] {
  const open = opener(options)
  return Object.entries({ ...stateClaims(open), ...snapshotClaims(open) }).map(([claim, run]) => ({ claim, run }))
}
