/**
 * Replays a coordinator trace through the real coordinator, its pending checkpoints and their hosts, on a virtual clock.
 * What is asynchronous is settled between two steps and between two timers: it takes no time.
 */
import { countFailure, countSuccess, noFailures } from '#machines/checkpoint-coordinator-failures'
import type { CoordinatorSettings, TaskAttempt } from '#machines/checkpoint-coordinator-vocabulary'
import { StreamError } from '../base/errors.ts'
import { silentLogger } from '../base/logger.ts'
import { eventLoopTurns } from '../base/turns.ts'
import { VirtualClock } from '../base/virtual-clock.ts'
import { causes } from '../runtime/control/causes.ts'
import { type CheckpointCoordinator, hostCheckpointCoordinator } from '../runtime/control/checkpoint-coordinator.ts'
import type { CheckpointWork } from '../runtime/control/checkpoint-work.ts'

/** What a checkpoint coordinator hears, and what must come of it. */
export interface CoordinatorTrace {
  readonly config: {
    readonly intervalMs?: number | undefined
    readonly minPauseMs?: number | undefined
    readonly timeoutMs?: number | undefined
    readonly maxConcurrent?: number | undefined
    readonly maxQueued?: number | undefined
    readonly tolerableFailures?: number | 'unlimited' | undefined
    readonly unaligned?: boolean | undefined
    readonly intervalDuringBacklogMs?: number | undefined
    readonly restoredFrom?: { readonly id: number; readonly claimMode: 'NO_CLAIM' | 'CLAIM' } | undefined
  }
  readonly tasks: number
  /** `+10`, `trigger checkpoint`, `ack 1`, `ack 1 0`, `decline 1 0 CHECKPOINT_DECLINED`, … */
  readonly steps: readonly string[]
}

export interface CoordinatorReplay {
  /** `[id, atMs]` */
  readonly triggered: readonly (readonly [number, number])[]
  readonly completed: readonly number[]
  /** `[id, reason]` */
  readonly aborted: readonly (readonly [number, string])[]
  readonly notifiedComplete: readonly number[]
  readonly notifiedAborted: readonly number[]
  /** How often the failure counter failed the job, which then goes on here. */
  readonly jobFailures: number
  /** Reasons of requests that never became a checkpoint, periodic ones included. */
  readonly rejected: readonly string[]
  /** Ids of the checkpoints that were full because they had to be. */
  readonly full: readonly number[]
}

/** Rejects with a StreamError for a step that it does not know. */
export async function replayCoordinator(trace: CoordinatorTrace): Promise<CoordinatorReplay> {
  if (trace.steps.some((step) => /^(failed|succeeded) /.test(step))) return replayFailureCount(trace)
  const replay = new Replay(trace)
  for (const step of trace.steps) await replay.take(step)
  return replay.seen
}

type Growing<Lists> = {
  -readonly [Name in keyof Lists]: Lists[Name] extends readonly (infer One)[] ? One[] : Lists[Name]
}

const nothingSeen = (): Growing<CoordinatorReplay> => ({
  triggered: [],
  completed: [],
  aborted: [],
  notifiedComplete: [],
  notifiedAborted: [],
  jobFailures: 0,
  rejected: [],
  full: [],
})

class Replay {
  readonly seen = nothingSeen()
  readonly #clock = new VirtualClock()
  readonly #turns = eventLoopTurns()
  readonly #tasks: readonly TaskAttempt[]
  readonly #coordinator: CheckpointCoordinator
  readonly #notRunning = new Set<string>()
  readonly #unpublishable = new Set<number>()
  #nextTriggerFails: string | undefined
  #cleaning = 0

  constructor({ config, tasks }: CoordinatorTrace) {
    this.#tasks = Array.from({ length: tasks }, (_, task) => ({ task: String(task), attempt: 0 }))
    const { restoredFrom } = config
    this.#coordinator = hostCheckpointCoordinator(
      'replay/coordinator',
      {
        settings: settingsOf(config),
        nextCheckpointId: (restoredFrom?.id ?? 0) + 1,
        completed: [],
        restoredFrom: restoredFrom ? { checkpointId: restoredFrom.id, claimMode: restoredFrom.claimMode } : null,
      },
      this.#work(),
    )
    this.#coordinator.start()
    this.#coordinator.startScheduler()
  }

  async take(step: string): Promise<void> {
    if (step.startsWith('+')) await this.#advance(Number(step.slice(1)))
    else this.#obey(step)
    await this.#settle()
  }

  #obey(step: string) {
    const [verb, first = '', second = '', third = ''] = step.split(' ')
    const coordinator = this.#coordinator
    switch (verb) {
      case 'ack':
        return this.#acknowledge(Number(first), second)
      case 'finalizeFails':
        this.#unpublishable.add(Number(first))
        return this.#acknowledge(Number(first), '')
      case 'decline':
        return coordinator.decline({
          checkpointId: Number(first),
          task: second,
          attempt: 0,
          reason: third,
          message: step,
          cause: null,
        })
      case 'trigger': {
        const kind = first === 'synchronous-savepoint' ? 'synchronousSavepoint' : first
        if (kind !== 'checkpoint' && kind !== 'savepoint' && kind !== 'synchronousSavepoint') break
        // What becomes of it shows in what is seen.
        void coordinator.trigger({ kind })
        return
      }
      case 'taskFailed':
        return coordinator.taskFailed({ task: first, attempt: 0, message: step })
      case 'failover':
        return void coordinator.failOver()
      case 'failTrigger':
        this.#nextTriggerFails = first
        return
      case 'notRunning':
        this.#notRunning.add(first)
        return
      case 'running':
        this.#notRunning.delete(first)
        return
      case 'cleaning':
        return this.#clean(Number(first))
      case 'backlog':
        return coordinator.backlogChanged(first, second === 'on')
      case 'stop':
        return void coordinator.stopScheduler()
      case 'start':
        return coordinator.startScheduler()
      case 'shutdown':
        return void coordinator.shutDown('SUSPENDED')
    }
    throw new StreamError('TRACE_INVALID', {
      message: `Step '${step}' is none that a coordinator trace knows.`,
      hint: 'The steps are listed where CoordinatorTrace is documented.',
    })
  }

  #acknowledge(checkpointId: number, task: string): void {
    for (const one of this.#tasks)
      if (task === '' || one.task === task) this.#coordinator.acknowledge({ checkpointId, ...one, handles: null })
  }

  #clean(count: number): void {
    const more = count - this.#cleaning
    this.#cleaning = count
    if (more > 0) this.#coordinator.discardsStarted(more)
    else this.#coordinator.discardsFinished(-more)
  }

  async #advance(ms: number): Promise<void> {
    const untilMs = this.#clock.now() + ms
    for (
      let due = this.#clock.nextDeadlineMs();
      due !== undefined && due <= untilMs;
      due = this.#clock.nextDeadlineMs()
    ) {
      this.#clock.runNext()
      await this.#settle()
    }
    this.#clock.advance(untilMs - this.#clock.now())
  }

  /** Every promise here is settled by others alone, so one turn of the event loop leaves none. */
  #settle(): Promise<void> {
    return new Promise((resolve) => this.#turns.next(resolve))
  }

  #work(): CheckpointWork {
    const { seen } = this
    const tasks = this.#tasks
    return {
      clock: this.#clock,
      logger: silentLogger,
      causes: causes(),
      plan: () => {
        const reason = this.#nextTriggerFails
        this.#nextTriggerFails = undefined
        if (reason !== undefined) return { reason, message: 'failTrigger' }
        return { trigger: tasks, waitFor: tasks, commitTo: tasks, finished: [], notRunning: [...this.#notRunning] }
      },
      snapshotCoordinators: async () => null,
      triggerTasks() {},
      triggerTasksBehind() {},
      notifyComplete: ({ checkpointId }) => seen.notifiedComplete.push(checkpointId),
      notifyAborted: ({ checkpointId }) => seen.notifiedAborted.push(checkpointId),
      publish: async ({ checkpointId }) => {
        if (!this.#unpublishable.has(checkpointId)) return { handle: null, bytes: 0, path: null }
        throw new StreamError('FILE_ERROR', {
          message: `The metadata of checkpoint ${checkpointId} cannot be written.`,
        })
      },
      readStore: async () => [],
      discardCheckpoint: async () => {},
      discardPending: async () => {},
      discardHandles: async () => {},
      failJob: () => void seen.jobFailures++,
      report(event) {
        switch (event.type) {
          case 'checkpoint.triggered':
            seen.triggered.push([event.checkpointId, event.timestamp])
            if (event.full) seen.full.push(event.checkpointId)
            return
          case 'checkpoint.completed':
            return void seen.completed.push(event.checkpointId)
          case 'checkpoint.aborted':
            return void seen.aborted.push([event.checkpointId, event.reason])
          case 'checkpoint.rejected':
            return void seen.rejected.push(event.reason)
        }
      },
    }
  }
}

function settingsOf(config: CoordinatorTrace['config']): CoordinatorSettings {
  return {
    intervalMs: config.intervalMs ?? null,
    minPauseMs: config.minPauseMs ?? 0,
    timeoutMs: config.timeoutMs ?? 600_000,
    maxConcurrent: config.maxConcurrent ?? 1,
    maxQueued: config.maxQueued ?? 1000,
    tolerableFailures: config.tolerableFailures ?? 0,
    unaligned: config.unaligned ?? false,
    alignedTimeoutMs: 0,
    intervalDuringBacklogMs: config.intervalDuringBacklogMs ?? null,
    numRetained: 1,
    retention: 'NO_EXTERNALIZED_CHECKPOINTS',
  }
}

/** `failed ID REASON`, `succeeded ID`: the failure counter alone, failures being those of the coordinator's side. */
function replayFailureCount({ config, steps }: CoordinatorTrace): CoordinatorReplay {
  const seen = nothingSeen()
  let failures = noFailures
  for (const step of steps) {
    const [verb, id = '', reason = ''] = step.split(' ')
    if (verb === 'succeeded') {
      failures = countSuccess(failures, Number(id))
      continue
    }
    const failure = { checkpointId: id === '-' ? null : Number(id), kind: 'checkpoint', reason, byTask: false } as const
    const counted = countFailure(failures, failure, config.tolerableFailures ?? 0)
    failures = counted.failures
    if (counted.failsJob) seen.jobFailures++
  }
  return seen
}
