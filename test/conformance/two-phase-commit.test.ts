/** Flink's rules for sinks that commit with checkpoints as traces, driven through the real charts and their host. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { replayTwoPhaseCommit, type TwoPhaseCommitTrace } from '../../src/testing/replay-two-phase-commit.ts'
import { differences } from './expectation.ts'

type RecordedTrace = TwoPhaseCommitTrace & { readonly name: string; readonly source: string; readonly expect: unknown }

const traces = JSON.parse(
  readFileSync(new URL('../fixtures/conformance/two-phase-commit-traces.json', import.meta.url), 'utf8'),
) as readonly RecordedTrace[]

describe('a sink commits as Flink does', () => {
  test.each(traces)('$kind: $name ($source)', async ({ expect: expected, ...trace }) => {
    expect(differences(expected, await replayTwoPhaseCommit(trace))).toEqual([])
  })
})

describe('the traces', () => {
  test('17 of kind transactions and 13 of kind committables ran, each under a name of its own', () => {
    expect(traces.filter(({ kind }) => kind === 'transactions')).toHaveLength(17)
    expect(traces.filter(({ kind }) => kind === 'committables')).toHaveLength(13)
    expect(new Set(traces.map(({ name }) => name)).size).toBe(30)
  })

  test('a wrong expectation is noticed (negative control)', async () => {
    const outcome = await replayTwoPhaseCommit({ kind: 'transactions', steps: ['write a', 'snapshot 1', 'complete 1'] })
    expect(differences({ committed: ['a'], errors: [], openTransactions: 1 }, outcome)).toEqual([])
    for (const wrong of [{ committed: [] }, { errors: [2] }, { openTransactions: 0 }, { committedAfter: { 1: ['a'] } }])
      expect(differences(wrong, outcome), JSON.stringify(wrong)).not.toEqual([])
  })

  test('a step that does not exist is refused', async () => {
    for (const kind of ['transactions', 'committables'] as const)
      await expect(replayTwoPhaseCommit({ kind, steps: ['dance'] })).rejects.toMatchObject({ code: 'TRACE_INVALID' })
  })

  test('commits that fail may be healed, and an aborted checkpoint is covered by the next', async () => {
    const outcome = await replayTwoPhaseCommit({
      kind: 'transactions',
      steps: ['write a', 'snapshot 1', 'abort 1', 'failCommits', 'complete 1', 'healCommits', 'restore 1'],
    })
    expect(differences({ committed: ['a'], errors: [4] }, outcome)).toEqual([])
  })
})
