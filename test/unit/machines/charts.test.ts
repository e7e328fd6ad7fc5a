/** What every chart must be, so that it can be explored, replayed, drawn and carried across threads. */

import { readdirSync, readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import { type AnyStateMachine, type AnyStateNode, createMachine, initialTransition } from 'xstate'
import type { AlignmentInput } from '#machines/alignment-vocabulary'
import type { CoordinatorInput, PendingStart } from '#machines/checkpoint-coordinator-vocabulary'
import { type ChartName, charts } from '#machines/index'
import type { JobInput } from '#machines/job'
import type { SubtaskCheckpointInput } from '#machines/subtask-checkpoint'
import type { TaskInput } from '#machines/task'
import type { TwoPhaseCommitInput } from '#machines/two-phase-commit'

const alignment: AlignmentInput = { channels: 2, checkpointsAfterTasksFinish: true }

/** Something to begin with for each chart. */
const INPUTS = {
  job: { regions: [0, 1], retention: 'NO_EXTERNALIZED_CHECKPOINTS', suspendsToCheckpoint: true } satisfies JobInput,
  restartSupervisor: { strategy: { type: 'none' } },
  stopWithSavepoint: undefined,
  task: { task: 0, attempt: 1, finalCheckpoint: true, cancellationTimeoutMs: 1 } satisfies TaskInput,
  operator: { operator: 'map' },
  barrierAlignment: alignment,
  unalignedAlignment: { channels: 2, checkpointsAfterTasksFinish: true, alignedTimeoutMs: 10 },
  atLeastOnceAlignment: alignment,
  subtaskCheckpoint: { attempt: 1, checkpointId: 1, location: null, startedAtMs: 0 } satisfies SubtaskCheckpointInput,
  checkpointCoordinator: {
    settings: {
      intervalMs: 10,
      minPauseMs: 0,
      timeoutMs: 10,
      maxConcurrent: 1,
      maxQueued: 1,
      tolerableFailures: 0,
      unaligned: false,
      alignedTimeoutMs: 0,
      intervalDuringBacklogMs: null,
      numRetained: 1,
      retention: 'NO_EXTERNALIZED_CHECKPOINTS',
    },
    nextCheckpointId: 1,
    completed: [],
    restoredFrom: null,
  } satisfies CoordinatorInput,
  pendingCheckpoint: {
    checkpointId: 1,
    kind: 'checkpoint',
    timestamp: 0,
    timeoutMs: 10,
    full: false,
    targetDirectory: null,
    options: { format: 'canonical', drain: false },
    waitFor: [],
    finished: [],
  } satisfies PendingStart,
  twoPhaseCommit: {
    retries: 1,
    commitTimeoutMs: 1,
    ignoreFailuresAfterMs: null,
    startedAtMs: 0,
  } satisfies TwoPhaseCommitInput,
} satisfies Readonly<Record<ChartName, unknown>>

test('every chart is in the list: there is one for each file of machines/ that makes one', () => {
  const folder = new URL('../../../machines/', import.meta.url)
  const files = readdirSync(folder).filter((file) =>
    readFileSync(new URL(file, folder), 'utf8').includes('createMachine('),
  )
  const named = files.map((file) =>
    file.replace('.ts', '').replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
  )
  expect(Object.keys(charts).sort()).toEqual(named.sort())
})

describe.each(Object.entries(charts))('the chart %s', (name, machine) => {
  test('carries its own name as id', () => {
    expect(machine.id).toBe(name)
  })

  test('refers to guards that exist, has no effects and no clock of its own, and remembers plain JSON', () => {
    expect(defects(machine, INPUTS[name as ChartName])).toEqual([])
  })
})

test('a chart that is none of this is found out (negative control)', () => {
  const chart = (config: object) => createMachine({ id: 'bad', initial: 'one', ...config } as never)
  const bad = {
    'a guard': chart({ states: { one: { on: { go: { guard: 'unknown', target: 'two' } } }, two: {} } }),
    'an invocation': chart({ states: { one: { invoke: { src: 'work' } } } }),
    'a clock': chart({ states: { one: { after: { 5: 'two' } }, two: {} } }),
    'a root that swallows': chart({ on: { '*': {} }, states: { one: {} } }),
    'a set': chart({ context: { set: new Set([1]) }, states: { one: {} } }),
    'an absent value': chart({ context: { gone: undefined }, states: { one: {} } }),
  }
  for (const [what, machine] of Object.entries(bad)) expect(defects(machine, undefined), what).toHaveLength(1)
  // A misspelt target compiles, and throws when the chart is made: importing every chart finds it.
  expect(() => chart({ states: { one: { on: { go: 'nowhere' } } } })).toThrow('nowhere')
  expect(defects(chart({ context: { list: [1] }, states: { one: {} } }), undefined)).toEqual([])
})

function defects(machine: AnyStateMachine, input: unknown): readonly string[] {
  const all = nodes(machine.root)
  const found: string[] = []
  const must = (holds: boolean, otherwise: string) => void (holds || found.push(otherwise))
  const transitions = all.flatMap((node) => [...node.transitions.values()].flat().concat(node.always ?? []))
  for (const { guard } of transitions)
    must(typeof guard !== 'string' || guard in machine.implementations.guards, `guard ${guard} does not exist`)
  for (const node of all) {
    must(node.invoke.length === 0, `${node.id} invokes`)
    must(node.after.length === 0, `${node.id} waits for a clock`)
  }
  must(!machine.root.transitions.has('*'), 'the root swallows facts')
  if (found.length > 0) return found
  const [{ context }] = initialTransition(machine, input as never)
  must(isDeepStrictEqual(JSON.parse(JSON.stringify(context)), context), 'the context is not plain JSON')
  return found
}

function nodes(node: AnyStateNode): readonly AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(nodes)]
}
