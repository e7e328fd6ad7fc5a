/**
 * One operator in one subtask, run by the record loop, the gate, the states and the timers that jobs run it by. What a
 * job has around that (tasks, barriers, restarts) is left out: whoever drives it says when something happens.
 */
import { StreamError } from '../base/errors.ts'
import type { Ports } from '../base/ports.ts'
import { deepFreeze } from '../elements/deep-freeze.ts'
import { type ControlElement, MAX_WATERMARK } from '../elements/stream-element.ts'
import type { ChainedOperator } from '../graph/job-graph.ts'
import type { Input, Operator, OperatorFactory, SourceOperator } from '../operators/operator.ts'
import { Blame } from '../runtime/blame.ts'
import { Channel } from '../runtime/data/channel.ts'
import { type ChainLinks, inOrder } from '../runtime/data/operator-chain.ts'
import { Subtask } from '../runtime/data/subtask.ts'
import { SubtaskGate } from '../runtime/data/subtask-gate.ts'
import { OperatorRuntime } from '../runtime/operator-runtime.ts'
import { freezeSubtask } from '../runtime/subtask-snapshot.ts'
import type { KeyGroupRange } from '../state/key-group-range.ts'
import { canonical } from '../state/keyed-stream-reader.ts'
import type { FrozenKeyedState } from '../state/state-backend.ts'
import type { RestoredState, Scale, SubtaskSnapshot } from './harness-snapshot.ts'
import { toBase64 } from './harness-snapshot.ts'
import { SnapshotShelf } from './snapshot-shelf.ts'
import { environmentOf, vertexOf } from './subtask-environment.ts'

type Work = void | Promise<void>

/** What an operator is, wherever it runs. */
export interface OperatorUnderTest {
  readonly name: string
  readonly operator: OperatorFactory
  readonly keyed: boolean
  readonly inputs: number
}

export interface OperatorSubtaskOptions {
  readonly underTest: OperatorUnderTest
  readonly subtask: number
  readonly scale: Scale
  readonly ports: Ports
  /** Counts the instances of one run of a job, from 0. */
  readonly attempt: number
  readonly restored: RestoredState | undefined
  readonly links: ChainLinks
  /** As `execution.debug-freeze`; what is pushed counts as emitted by the operator in front. */
  readonly debugFreeze: boolean
}

/** Records that the loop reads in one step where nothing stops it. */
const BUDGET = 64
/** Steps in a row after which it counts as something that never comes to rest. */
const MOST_STEPS = 100_000

export class OperatorSubtask {
  readonly gate: SubtaskGate
  readonly #options: OperatorSubtaskOptions
  readonly #runtime: OperatorRuntime
  readonly #operator: Operator
  readonly #channels: readonly Channel[]
  readonly #permission = { running: false, standstill: false, held: [], restoring: false }
  readonly #loop: Subtask
  #inLoop = false
  #failure: { readonly thrown: unknown } | undefined
  #finishing: Work = undefined

  constructor(options: OperatorSubtaskOptions) {
    const { underTest, subtask, scale, ports, attempt, restored, links, debugFreeze } = options
    this.#options = options
    this.gate = new SubtaskGate({
      wake: () => this.#wake(),
      failed: (cause) => this.#fail(cause),
      monotonicMs: () => ports.clock.monotonic(),
    })
    const chained: ChainedOperator = {
      operatorId: 'f'.repeat(32),
      name: underTest.name,
      create: underTest.operator,
      keyed: underTest.keyed,
      outputs: [],
    }
    const vertex = vertexOf(chained, scale)
    const task = {
      task: subtask,
      attempt: attempt + 1,
      vertexIndex: 0,
      graph: { vertices: [vertex], edges: [], hash: '' },
      vertex,
      subtask,
      name: `${underTest.name} (${subtask + 1}/${scale.parallelism})`,
      restore: { task: subtask, operators: [] },
      restoredCheckpointId: restored?.checkpointId,
      location: undefined,
      environment: environmentOf(ports, debugFreeze),
      tell: () => {},
    }
    this.#runtime = new OperatorRuntime(task, chained, 0, {
      gate: this.gate,
      mail: (mail) => this.#loop.mail(mail),
      fail: (cause) => this.#fail(cause),
      blame: (thrown) => thrown,
      sendSplitRequest: () => {},
      count: () => {},
      broken: (cause) => this.#fail(cause),
    })
    // The memory of a test holds the state: nothing is waited for.
    const restoring = this.#runtime.adopt(restored?.operator ?? [], restored?.keyed ?? [])
    if (restoring instanceof Promise) restoring.catch((cause: unknown) => this.#fail(cause))
    this.#operator = this.#runtime.make(links)
    this.#channels = Array.from({ length: underTest.inputs }, (_, input) => this.#newChannel(input))
    this.#loop = new Subtask({
      channels: this.#channels,
      inputs: this.#operator.inputs as readonly Input<unknown>[],
      source: 'emitNext' in this.#operator ? (this.#operator as SourceOperator) : undefined,
      emitLastWatermark: () => {
        links.output.processWatermarkStatus(false)
        links.output.processWatermark(MAX_WATERMARK)
      },
      gate: this.gate,
      permission: this.#permission,
      restored: [],
      wake: () => this.#wake(),
      events: {
        barrierArrived() {},
        announcementArrived() {},
        cancellationArrived() {},
        partitionEnded() {},
        restoredConsumed() {},
        inputExhausted: () => this.#finish(),
        failed: (cause) => this.#fail(cause),
      },
    })
  }

  /** What it failed with; the loop stands still from then on. */
  get failure(): { readonly thrown: unknown } | undefined {
    return this.#failure
  }

  /** Nothing is half done, and nobody is waited for. */
  get idle(): boolean {
    return this.gate.closed === 0 && this.#channels.every(({ size }) => size === 0)
  }

  open(): Work {
    return inOrder([
      () => this.#operator.open?.(),
      () => {
        this.#permission.running = true
        this.run()
      },
    ])
  }

  /** Puts a record into the queue of an input. Nothing is read before `run`. */
  push(input: number, value: unknown, timestamp: number): void {
    const given = this.#options.debugFreeze ? deepFreeze(value) : value
    this.#quietly(() => this.#channelOf(input).push(given, timestamp))
  }

  pushControl(input: number, element: ControlElement): void {
    this.#quietly(() => this.#channelOf(input).pushControl(element))
  }

  /** Until there is nothing to read, or the gate is closed. Does not throw: see `failure`. */
  run(): void {
    if (this.#inLoop) return
    this.#inLoop = true
    try {
      for (let steps = 0; this.#failure === undefined && this.#loop.step(BUDGET); )
        if (steps++ > MOST_STEPS) this.#fail(endless(this.#options.underTest.name))
    } finally {
      this.#inLoop = false
    }
  }

  /** The operator's part of a checkpoint. Everything up to the freezing happens at once where the operator does not wait. */
  snapshot(checkpointId: number): Promise<SubtaskSnapshot> {
    const preparing = this.#operator.prepareSnapshotPreBarrier?.(checkpointId)
    if (!(preparing instanceof Promise)) return this.#freeze(checkpointId)
    this.#permission.standstill = true
    const goOn = () => {
      this.#permission.standstill = false
    }
    preparing.then(goOn, goOn)
    return preparing.then(() => this.#freeze(checkpointId))
  }

  notifyCheckpointComplete(checkpointId: number): Work {
    return this.#operator.notifyCheckpointComplete?.(checkpointId)
  }

  notifyCheckpointAborted(checkpointId: number): Work {
    return this.#operator.notifyCheckpointAborted?.(checkpointId)
  }

  /** Settles when the operator has finished, after the end of its input was read. */
  async finished(): Promise<void> {
    await this.#finishing
  }

  async close(): Promise<void> {
    this.#permission.running = false
    try {
      await this.#operator.close?.()
    } finally {
      await this.#runtime.close()
    }
  }

  async #freeze(checkpointId: number): Promise<SubtaskSnapshot> {
    const frozen = freezeSubtask([this.#runtime], [this.#operator], checkpointId, 'canonical', {
      subtask: this.#options.subtask,
      blame: new Blame(),
    })
    try {
      const [state] = frozen.operators
      const keyed =
        state?.keyed === undefined ? undefined : await written(state.keyed, state.keyGroups as KeyGroupRange)
      await state?.ready
      return {
        ...(state?.operator === undefined ? {} : { operator: toBase64(state.operator) }),
        ...(keyed === undefined ? {} : { keyed }),
      }
    } finally {
      frozen.release()
    }
  }

  #finish(): void {
    this.#runtime.endTimers()
    try {
      this.#finishing = this.#operator.finish?.()
    } catch (thrown) {
      this.#fail(thrown)
    }
    if (this.#finishing instanceof Promise) this.#finishing.catch((cause: unknown) => this.#fail(cause))
  }

  #newChannel(input: number): Channel {
    return new Channel({
      credit: 1024,
      input,
      index: input,
      sender: { outputFull() {}, outputFree() {}, dataConsumed() {} },
      receiver: { wake: () => this.#wake() },
    })
  }

  #channelOf(input: number): Channel {
    return this.#channels[input] as Channel
  }

  /** What is pushed is read by the next `run`. */
  #quietly(push: () => void): void {
    const inLoop = this.#inLoop
    this.#inLoop = true
    push()
    this.#inLoop = inLoop
  }

  /** A timer, or a promise that was waited for. */
  #wake(): void {
    if (this.#permission.running) this.run()
  }

  #fail(thrown: unknown): void {
    this.#permission.running = false
    this.#failure ??= { thrown }
  }
}

/** Serialised at once; only the writing is waited for. */
async function written(keyed: FrozenKeyedState, keyGroups: KeyGroupRange): Promise<SubtaskSnapshot['keyed']> {
  while (!keyed.step(1024));
  const shelf = new SnapshotShelf()
  const handle = await keyed.write(shelf.target(keyed.checkpointId, keyGroups))
  return { ...keyGroups, bytes: toBase64(await shelf.read(canonical(handle))) }
}

function endless(name: string): StreamError {
  return new StreamError('SIMULATION_STUCK', {
    message: `${name}: it has gone on for ${MOST_STEPS} steps and does not come to rest.`,
    hint: 'Look for a timer that sets a timer that is due already, or for work that sends itself mail.',
  })
}
