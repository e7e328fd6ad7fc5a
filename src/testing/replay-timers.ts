/** Replays a timer trace through the timer service and the state backend that keyed operators use. */
import { StreamError } from '../base/errors.ts'
import { VirtualClock } from '../base/virtual-clock.ts'
import { keyGroupRangeOf } from '../state/key-groups.ts'
import { type MemoryStateBackend, memoryStateBackend } from '../state/memory/memory-state-backend.ts'
import { createTimerService, type InternalTimer, type InternalTimerService } from '../state/timers.ts'
import { keyedSnapshot, storedBytes } from './keyed-snapshot.ts'
import { parseTimerStep, type TimerTraceStep } from './timer-trace-step.ts'

export interface TimerTrace {
  /** What the user's function does when the timer of that name fires. */
  readonly callbacks?: Readonly<Record<string, readonly string[]>> | undefined
  readonly steps: readonly string[]
}

export interface TimerReplay {
  /** Firings and forwarded watermarks in order; firings of one time by key, then namespace. */
  readonly output: readonly string[]
  /** By step: the time for which the one physical timer is armed. */
  readonly physicalAfter: Readonly<Record<string, number | null>>
  /** By step: event timers, processing timers. */
  readonly countAfter: Readonly<Record<string, readonly [number, number]>>
}

const MAX_PARALLELISM = 128
const WHOLE_RANGE = keyGroupRangeOf(MAX_PARALLELISM, 1, 0)

/** Replays a trace of timers and watermarks; gives what fired, in order. */
export function replayTimers(trace: TimerTrace): TimerReplay {
  const replay = new Replay(trace.callbacks ?? {})
  const physicalAfter: Record<string, number | null> = {}
  const countAfter: Record<string, readonly [number, number]> = {}
  trace.steps.forEach((step, index) => {
    replay.step(parseTimerStep(step))
    physicalAfter[index] = replay.timers.physicalTimerMs() ?? null
    countAfter[index] = [replay.timers.numEventTimeTimers(), replay.timers.numProcessingTimeTimers()]
  })
  return { output: ordered(replay.output), physicalAfter, countAfter }
}

interface Output {
  readonly text: string
  /** Undefined for a watermark. */
  readonly fired?: { readonly domain: string; readonly timer: InternalTimer } | undefined
}

class Replay {
  readonly output: Output[] = []
  timers: InternalTimerService
  readonly #clock = new VirtualClock()
  readonly #callbacks: Readonly<Record<string, readonly string[]>>
  #backend: MemoryStateBackend
  #snapshot: Uint8Array | undefined

  constructor(callbacks: Readonly<Record<string, readonly string[]>>) {
    this.#callbacks = callbacks
    this.#backend = newBackend(this.#clock)
    this.timers = this.#newService()
  }

  #newService(): InternalTimerService {
    const service = createTimerService({
      backend: this.#backend,
      clock: this.#clock,
      target: {
        onEventTime: (timer) => this.#fired('event', timer),
        onProcessingTime: (timer) => this.#fired('processing', timer),
      },
      due() {
        while (service.pollDueProcessingTimer());
      },
    })
    return service
  }

  #fired(domain: 'event' | 'processing', timer: InternalTimer): void {
    const text = `${domain} ${timer.key} ${timer.namespace} ${timer.timestamp}`
    this.output.push({ text, fired: { domain, timer } })
    for (const step of this.#callbacks[text] ?? []) this.step(parseTimerStep(step))
  }

  step(step: TimerTraceStep): void {
    switch (step.type) {
      case 'register':
        this.#backend.setCurrentKey(step.key)
        if (step.domain === 'event') this.timers.registerEventTimeTimer(step.namespace, step.timestamp)
        else this.timers.registerProcessingTimeTimer(step.namespace, step.timestamp)
        break
      case 'delete':
        this.#backend.setCurrentKey(step.key)
        if (step.domain === 'event') this.timers.deleteEventTimeTimer(step.namespace, step.timestamp)
        else this.timers.deleteProcessingTimeTimer(step.namespace, step.timestamp)
        break
      case 'watermark':
        while (this.timers.pollDueEventTimer(step.timestamp));
        this.output.push({ text: `watermark ${step.timestamp}` })
        break
      case 'now':
        this.#moveClock(step.timestamp)
        break
      case 'snapshot':
        this.#snapshot = keyedSnapshot(this.#backend, 1)
        break
      case 'restore':
        this.#restore()
        break
      default:
        step satisfies never
    }
  }

  /** At once, as Flink's test clock does: what is late fires at the new time. */
  #moveClock(timestamp: number): void {
    this.#clock.skip(timestamp - this.#clock.now())
    this.#clock.advance(0)
  }

  #restore(): void {
    if (this.#snapshot === undefined)
      throw new StreamError('TRACE_INVALID', {
        message: 'A restore stands before the first snapshot.',
        hint: 'Add a `snapshot` step before it.',
      })
    this.timers.close()
    this.#backend = newBackend(this.#clock)
    this.#backend.restore([storedBytes(this.#snapshot, WHOLE_RANGE)])
    this.timers = this.#newService()
    this.#clock.advance(0)
  }
}

function newBackend(clock: VirtualClock): MemoryStateBackend {
  return memoryStateBackend({ maxParallelism: MAX_PARALLELISM, keyGroups: WHOLE_RANGE, clock })
}

/** Flink leaves the order of equal times open: neighbours of one domain and time are put in order by key and namespace. */
function ordered(output: readonly Output[]): readonly string[] {
  const result = [...output]
  for (let i = 1; i < result.length; i++)
    for (let j = i; j > 0 && isMisplaced(result[j - 1] as Output, result[j] as Output); j--)
      [result[j - 1], result[j]] = [result[j] as Output, result[j - 1] as Output]
  return result.map(({ text }) => text)
}

function isMisplaced({ fired: one }: Output, { fired: other }: Output): boolean {
  if (one === undefined || other === undefined) return false
  if (one.domain !== other.domain || one.timer.timestamp !== other.timer.timestamp) return false
  const [oneKey, otherKey] = [String(one.timer.key), String(other.timer.key)]
  return oneKey > otherKey || (oneKey === otherKey && String(one.timer.namespace) > String(other.timer.namespace))
}
