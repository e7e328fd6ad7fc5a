/** What every keyed state backend must do, run by each of them. */
import { describe, test } from 'vitest'
import { memoryStateBackend } from '../../src/state/memory/memory-state-backend.ts'
import { stateBackendSuite } from '../../src/testing/state-backend-suite.ts'

const backends = [{ name: 'hashmap', create: memoryStateBackend }]

describe.each(backends)('the $name state backend', ({ create }) => {
  for (const { claim, run } of stateBackendSuite({ create })) test(claim, run)
})
