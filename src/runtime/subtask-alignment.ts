/**
 * What the alignment chart of one subtask orders, done: operators prepare, barriers leave, states are frozen, records in
 * flight are captured. It decides nothing.
 */
import type { Timer } from '../base/clock.ts'
import { defaultSerializer } from '../elements/serializer.ts'
import type { CheckpointBarrier } from '../elements/stream-element.ts'
import {
  type AlignmentHost,
  type AlignmentNews,
  hostAlignment,
  type UnalignedDeps,
} from './control/barrier-alignment.ts'
import type { Cause } from './control/causes.ts'
import type { Channel } from './data/channel.ts'
import { inOrder, type OperatorChain } from './data/operator-chain.ts'
import { ProcessedBytes } from './data/processed-bytes.ts'
import type { Permission, Subtask } from './data/subtask.ts'
import type { SubtaskGate } from './data/subtask-gate.ts'
import { InFlightSnapshot } from './in-flight-snapshot.ts'
import { incomingChannels } from './incoming-channels.ts'
import type { OperatorRuntime } from './operator-runtime.ts'
import type { SubtaskCheckpoints } from './subtask-checkpoints.ts'
import type { StreamTaskOptions, UnalignedSettings } from './task-environment.ts'

type DueSnapshot = Parameters<Parameters<typeof hostAlignment>[0]['deps']['takeSnapshot']>[0]

export interface AlignedSubtask {
  readonly options: StreamTaskOptions
  /** Names the chart: `count (1/4)#1`. */
  readonly path: string
  readonly chain: OperatorChain
  readonly runtimes: readonly OperatorRuntime[]
  readonly channels: readonly Channel[]
  readonly subtask: Subtask
  readonly permission: Permission
  readonly gate: SubtaskGate
  readonly checkpoints: SubtaskCheckpoints
  /** The synchronous part of its snapshot is over. */
  snapshotted(checkpointId: number): void
  fail(thrown: unknown): void
  causeOf(thrown: unknown): Cause
  broken(cause: Error): void
}

export class SubtaskAlignment {
  readonly #parts: AlignedSubtask
  readonly #host: AlignmentHost
  readonly #incoming: ReturnType<typeof incomingChannels>
  readonly #processed: ProcessedBytes
  /** Of the checkpoint that captures now. */
  #inFlight: { readonly checkpointId: number; readonly snapshot: InFlightSnapshot } | undefined

  constructor(parts: AlignedSubtask) {
    this.#parts = parts
    const { options, path, channels, chain, checkpoints } = parts
    const { graph, vertexIndex, subtask, task, attempt, environment, tell } = options
    const { settings, ports, tap } = environment
    this.#incoming = incomingChannels(graph, vertexIndex, subtask)
    this.#processed = new ProcessedBytes(
      channels,
      this.#incoming.map(({ serializer }) => serializer ?? defaultSerializer()),
    )
    this.#host = hostAlignment({
      id: `${path}/alignment`,
      mode: settings.checkpointingMode,
      channels: channels.length,
      checkpointsAfterTasksFinish: settings.checkpointsAfterTasksFinish,
      alignedTimeoutMs: settings.unaligned?.alignedTimeoutMs,
      tap,
      unaligned: settings.unaligned && this.#overtaking(settings.unaligned),
      deps: {
        permit: ({ standstill, held }) => {
          parts.permission.standstill = standstill
          parts.permission.held = held
          environment.turnLoop.wake()
        },
        prepareOperators: ({ checkpointId }) =>
          this.#checkpointing(() =>
            inOrder(chain.operators.map((operator) => () => operator.prepareSnapshotPreBarrier?.(checkpointId))),
          ),
        forwardBarrier: (barrier) => chain.writeControl({ type: 'barrier', ...barrier }),
        takeSnapshot: (due) => this.#checkpointing(() => this.#snapshot(due)),
        declined: ({ checkpointId, reason, message, cause }) =>
          tell({
            type: 'checkpoint.declined',
            task,
            attempt,
            checkpointId,
            reason,
            message: message ?? reason,
            cause: cause ?? null,
          }),
        causeOf: parts.causeOf,
        forwardCancellation: (checkpointId) => chain.writeControl({ type: 'cancellation', checkpointId }),
        startMeasuring: (checkpointId) => this.#processed.start(checkpointId),
        endMeasuring: (checkpointId) =>
          checkpoints.measured(checkpointId, { processedBytes: this.#processed.end(checkpointId) }),
        nowMs: () => ports.clock.now(),
        failed: parts.broken,
      },
    })
  }

  /** The first permission is granted here. */
  start(): void {
    this.#host.start()
  }

  send(news: AlignmentNews): void {
    this.#host.send(news)
  }

  /** To be called between two elements. */
  trigger({ type: _, ...barrier }: CheckpointBarrier): void {
    this.#host.send({ type: 'checkpoint.triggered', barrier })
  }

  /** The task ends: what it captures will not be complete. */
  stop(): void {
    this.#host.stop()
    this.#inFlight?.snapshot.abandon('CHECKPOINT_DECLINED_TASK_CLOSING')
  }

  #overtaking({ maxInFlightBytes }: UnalignedSettings): UnalignedDeps {
    const { options, path, subtask, checkpoints } = this.#parts
    const { turnLoop, ports } = options.environment
    const captureOf = (checkpointId: number) =>
      this.#inFlight?.checkpointId === checkpointId ? this.#inFlight.snapshot.capture : undefined
    return {
      // A timer may fire while an element is half processed; the chart hears of it behind that.
      clock: {
        setTimer: (delayMs: number, fire: () => void): Timer => ports.clock.setTimer(delayMs, () => subtask.mail(fire)),
      },
      prioritiseBarrier: (channel, sequence) => subtask.prioritise(channel, sequence),
      startCapture: (checkpointId, channels) => {
        const snapshot = new InFlightSnapshot({
          checkpointId,
          name: path,
          incoming: this.#incoming,
          limitBytes: maxInFlightBytes,
          turnLoop,
          clock: ports.clock,
          capture: (changed) => subtask.startCapture(channels, changed),
        })
        this.#inFlight = { checkpointId, snapshot }
        // Whoever writes it has it: nothing of it stays until the next one.
        const forget = () => {
          if (this.#inFlight?.snapshot === snapshot) this.#inFlight = undefined
        }
        snapshot.complete.then(forget, forget)
      },
      endChannelCapture: (checkpointId, channel, upTo) => captureOf(checkpointId)?.endChannel(channel, upTo),
      finishCapture: (checkpointId, alignmentMs) => {
        checkpoints.measured(checkpointId, { alignmentMs })
        captureOf(checkpointId)?.finish()
      },
      dropCapture: (checkpointId) => captureOf(checkpointId)?.drop(),
    }
  }

  #snapshot({ barrier, alignmentMs, startDelayMs }: DueSnapshot): void {
    const { checkpoints, runtimes, chain, snapshotted } = this.#parts
    const { checkpointId, format = 'checkpoint', mode } = barrier
    const alignment = { alignmentMs, startDelayMs, unaligned: mode === 'unaligned' }
    const inFlight = this.#inFlight?.checkpointId === checkpointId ? this.#inFlight.snapshot : undefined
    checkpoints.take(checkpointId, format, alignment, runtimes, chain.operators, inFlight)
    snapshotted(checkpointId)
  }

  /** A throw of the operators fails the task, unless the job said that it only declines. */
  #checkpointing(work: () => void | Promise<void>): void | Promise<void> {
    const { options, gate, fail } = this.#parts
    const failing = (thrown: unknown): never => {
      if (options.environment.settings.failTasksOnCheckpointingErrors) fail(thrown)
      throw thrown
    }
    try {
      const working = work()
      return working instanceof Promise ? gate.underWay.watch(working).catch(failing) : undefined
    } catch (thrown) {
      return failing(thrown)
    }
  }
}
