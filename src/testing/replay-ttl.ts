/** Replays a trace of a state with a time-to-live through the states and snapshots that keyed operators use. */
import { StreamError } from '../base/errors.ts'
import { VirtualClock } from '../base/virtual-clock.ts'
import {
  type ListState,
  ListStateDescriptor,
  type MapState,
  MapStateDescriptor,
  type ValueState,
  ValueStateDescriptor,
} from '../state/descriptors.ts'
import { keyGroupRangeOf } from '../state/key-groups.ts'
import { type MemoryStateBackend, memoryStateBackend } from '../state/memory/memory-state-backend.ts'
import type { StateTtlConfig } from '../state/state-ttl.ts'
import { keyedSnapshot, storedBytes } from './keyed-snapshot.ts'
import { parseTtlStep, type TtlTraceState, type TtlTraceStep } from './ttl-trace-step.ts'

/** What is done with a state that expires, and what must be seen of it. */
export interface TtlTrace {
  /** Nothing is removed in the background. */
  readonly ttl: {
    readonly ttlMs: number
    readonly update?: StateTtlConfig['updateType']
    readonly visibility?: StateTtlConfig['stateVisibility']
    readonly cleanupFullSnapshot?: boolean | undefined
  }
  readonly state: TtlTraceState
  readonly steps: readonly string[]
}

type Answer = string | null | readonly string[] | Readonly<Record<string, string>>

export interface TtlReplay {
  /** The answers of `read` and `get` in order: null, an empty list, an empty map for nothing. */
  readonly reads: readonly Answer[]
  /** By step: whether anything is stored for the current key, expired or not. */
  readonly rawAfter: Readonly<Record<string, boolean>>
}

const MAX_PARALLELISM = 128
const WHOLE_RANGE = keyGroupRangeOf(MAX_PARALLELISM, 1, 0)
const NAME = 'state'

/** Throws TRACE_INVALID for a step that does not exist, CONFIG_INVALID for a time-to-live that is not legal. */
export function replayTtl(trace: TtlTrace): TtlReplay {
  const replay = new Replay(trace)
  const rawAfter: Record<string, boolean> = {}
  trace.steps.forEach((step, index) => {
    replay.step(parseTtlStep(step, trace.state))
    rawAfter[index] = replay.isStored()
  })
  return { reads: replay.reads, rawAfter }
}

/** A state of a kind, by the steps that it has. */
interface Driver {
  readonly read: () => Answer
  readonly clear: () => void
  readonly write: (values: readonly string[]) => void
  readonly add: (value: string) => void
  readonly put: (key: string, value: string) => void
  readonly get: (key: string) => string | null
  readonly remove: (key: string) => void
}

class Replay {
  readonly reads: Answer[] = []
  readonly #clock = new VirtualClock()
  readonly #kind: TtlTraceState
  readonly #ttl: StateTtlConfig
  #backend: MemoryStateBackend
  #state: Driver
  #key = 'k'
  #snapshot: Uint8Array | undefined

  constructor({ ttl: { ttlMs, update, visibility, cleanupFullSnapshot }, state }: TtlTrace) {
    this.#kind = state
    this.#ttl = {
      ttl: ttlMs,
      updateType: update,
      stateVisibility: visibility,
      cleanupFullSnapshot,
      cleanupInBackground: false,
    }
    this.#backend = this.#newBackend()
    this.#state = this.#newState()
  }

  /** By the keys of the state, which are those of all that is stored. */
  isStored(): boolean {
    return this.#backend.keysOf(NAME).includes(this.#backend.currentMapKey())
  }

  step(step: TtlTraceStep): void {
    const state = this.#state
    switch (step.type) {
      case 'time':
        this.#clock.skip(step.timestamp - this.#clock.now())
        break
      case 'key':
        this.#key = step.key
        this.#backend.setCurrentKey(step.key)
        break
      case 'snapshot':
        this.#snapshot = keyedSnapshot(this.#backend, 1)
        break
      case 'restore':
        this.#restore()
        break
      case 'read':
        this.reads.push(state.read())
        break
      case 'get':
        this.reads.push(state.get(step.key))
        break
      case 'write':
        state.write(step.values)
        break
      case 'add':
        state.add(step.value)
        break
      case 'put':
        state.put(step.key, step.value)
        break
      case 'remove':
        state.remove(step.key)
        break
      case 'clear':
        state.clear()
        break
      default:
        step satisfies never
    }
  }

  #restore(): void {
    if (this.#snapshot === undefined)
      throw new StreamError('TRACE_INVALID', {
        message: 'A restore stands before the first snapshot.',
        hint: 'Add a `snapshot` step before it.',
      })
    this.#backend = this.#newBackend()
    this.#backend.restore([storedBytes(this.#snapshot, WHOLE_RANGE)])
    this.#state = this.#newState()
  }

  #newBackend(): MemoryStateBackend {
    const backend = memoryStateBackend({
      maxParallelism: MAX_PARALLELISM,
      keyGroups: WHOLE_RANGE,
      clock: this.#clock,
    })
    backend.setCurrentKey(this.#key)
    return backend
  }

  #newState(): Driver {
    const options = { ttl: this.#ttl }
    switch (this.#kind) {
      case 'value':
        return valueDriver(this.#backend.getState(new ValueStateDescriptor<string>(NAME, options)))
      case 'list':
        return listDriver(this.#backend.getListState(new ListStateDescriptor<string>(NAME, options)))
      case 'map':
        return mapDriver(this.#backend.getMapState(new MapStateDescriptor<string, string>(NAME, options)))
      default:
        throw noSuchState(this.#kind satisfies never)
    }
  }
}

/** What the parser of steps has let through, a state of the kind has. */
const NONE: Omit<Driver, 'read' | 'clear'> = {
  write: () => {},
  add: () => {},
  put: () => {},
  get: () => null,
  remove: () => {},
}

const valueDriver = (state: ValueState<string>): Driver => ({
  ...NONE,
  read: () => state.value() ?? null,
  clear: () => state.clear(),
  write: ([value]) => state.update(value),
})

const listDriver = (state: ListState<string>): Driver => ({
  ...NONE,
  read: () => [...state.get()],
  clear: () => state.clear(),
  write: (values) => state.update(values),
  add: (value) => state.add(value),
})

const mapDriver = (state: MapState<string, string>): Driver => ({
  ...NONE,
  read: () => Object.fromEntries(state),
  clear: () => state.clear(),
  put: (key, value) => void state.set(key, value),
  get: (key) => state.get(key) ?? null,
  remove: (key) => state.remove(key),
})

function noSuchState(state: string): StreamError {
  return new StreamError('TRACE_INVALID', {
    message: `'${state}' is no kind of state in a trace.`,
    hint: 'There are value, list and map.',
  })
}
