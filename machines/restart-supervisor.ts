/**
 * Answers one question: may the job restart after this failure, and when? The arithmetic of the strategies stands in
 * `restart-strategies.ts`. It restarts nothing and waits for nothing.
 */
import { setup } from 'xstate'
import { decideRestart, NO_FAILURES, type RestartMemory, type RestartStrategy } from './restart-strategies.ts'

export interface RestartSupervisorInput {
  readonly strategy: RestartStrategy
}

interface Context extends RestartSupervisorInput {
  readonly memory: RestartMemory
}

/** `random`: uniform in [0, 1), drawn by the host. */
export interface RestartSupervisorFact {
  readonly type: 'failure.reported'
  readonly attempt: number
  readonly atMs: number
  readonly random: number
}

export type RestartSupervisorOrder =
  /** `newAttempt` is false when the failure joins a restart that is pending already: `delayMs` is what is left of it. */
  | { readonly type: 'grantRestart'; readonly attempt: number; readonly delayMs: number; readonly newAttempt: boolean }
  | { readonly type: 'denyRestart'; readonly attempt: number; readonly reason: string; readonly newAttempt: boolean }

const decide = (c: Context, f: RestartSupervisorFact) => decideRestart(c.strategy, c.memory, f.atMs, f.random)

const supervisorSetup = setup({
  types: {
    context: {} as Context,
    events: {} as RestartSupervisorFact,
    emitted: {} as RestartSupervisorOrder,
    input: {} as RestartSupervisorInput,
  },
  guards: {
    joinsPendingRestart: ({ context, event }) => {
      const { restart, newAttempt } = decide(context, event)
      return restart && !newAttempt
    },
    mayRestart: ({ context, event }) => decide(context, event).restart,
  },
})

const answer = supervisorSetup.enqueueActions(({ context, event, enqueue }) => {
  const { memory, restart, delayMs, newAttempt, reason } = decide(context, event)
  const { attempt } = event
  enqueue.assign({ memory })
  enqueue.emit(
    restart
      ? { type: 'grantRestart', attempt, delayMs, newAttempt }
      : { type: 'denyRestart', attempt, reason, newAttempt },
  )
})

const granted = { guard: 'mayRestart', target: 'granted', actions: answer } as const
const denied = { target: 'denied', actions: answer } as const

export const restartSupervisor = supervisorSetup.createMachine({
  id: 'restartSupervisor',
  context: ({ input }) => ({ strategy: input.strategy, memory: NO_FAILURES }),
  initial: 'watching',
  states: {
    // No failure so far.
    watching: { on: { 'failure.reported': [granted, denied] } },
    granted: { on: { 'failure.reported': [{ guard: 'joinsPendingRestart', actions: answer }, granted, denied] } },
    denied: { on: { 'failure.reported': [granted, denied] } },
  },
})
