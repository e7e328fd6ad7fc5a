/** A checkpoint of one operator with every kind of state, written by the ordinary writers into a folder; and the command over it. */
import type { FileSystem } from '../../../src/base/file-system.ts'
import { SimulatedDisk } from '../../../src/base/simulated-disk.ts'
import { SimulatedFileSystem } from '../../../src/base/simulated-file-system.ts'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import { command } from '../../../src/cli/command.ts'
import type { ProcessBoundary } from '../../../src/cli/process-boundary.ts'
import type { Serializer } from '../../../src/elements/serializer.ts'
import {
  AggregatingStateDescriptor,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  ValueStateDescriptor,
} from '../../../src/state/descriptors.ts'
import { keyGroupOf, keyGroupRangeOf, subtaskOfKeyGroup } from '../../../src/state/key-groups.ts'
import type { PartSizes } from '../../../src/state/level/part-sizes.ts'
import { memoryStateBackend } from '../../../src/state/memory/memory-state-backend.ts'
import { operatorStateStore } from '../../../src/state/operator-state.ts'
import type { SnapshotFormat, SnapshotIdentity } from '../../../src/state/snapshot.ts'
import type { KeyedStateBackend } from '../../../src/state/state-backend.ts'
import { createTimerService } from '../../../src/state/timers.ts'
import { JOB_ID, OPERATOR, open, portsOn } from '../checkpoint/job-fixture.ts'
import { levelBackends, type TestBackend } from '../state/level/level-backends.ts'

export const MAX_PARALLELISM = 16

/** Texts by a serializer that no inspection knows. */
const shouting: Serializer<string> = {
  id: 'shouting',
  version: 3,
  serialize: (value) => new TextEncoder().encode(value.toUpperCase()),
  deserialize: (bytes) => new TextDecoder().decode(bytes),
}

/** Where checkpoints are written to: in memory. */
export const DIRECTORY = '/checkpoints'

export function memoryDisk(): { readonly disk: SimulatedDisk; readonly files: FileSystem } {
  const disk = new SimulatedDisk()
  return { disk, files: new SimulatedFileSystem({ disk }) }
}

export interface Written {
  readonly parallelism?: number
  readonly keys?: readonly unknown[]
  readonly name?: string
  readonly kind?: 'checkpoint' | 'savepoint'
  readonly backend?: 'hashmap' | 'leveldb'
  readonly format?: SnapshotFormat
  /** Of the `leveldb` backend: from when on maps and lists lie in parts. */
  readonly partSizes?: PartSizes
  /** State of the coordinator. */
  readonly coordinated?: Uint8Array
}

export const KEYS = ['a', 'b', 'ä€', 1, 2.5, -0, 10n, true, ['x', 1], { b: 1, a: ['y'] }]

/** Its folder. Each key has a value that is derived from its place. */
export async function writeCheckpoint(files: FileSystem, written: Written = {}): Promise<string> {
  const {
    parallelism = 2,
    keys = KEYS,
    name = 'count',
    kind = 'checkpoint',
    coordinated = Uint8Array.of(1, 2, 3),
  } = written
  const makeBackend =
    written.backend === 'leveldb'
      ? levelBackends({ cacheBytes: 4096, partSizes: written.partSizes })
      : memoryStateBackend
  const job = await open(portsOn(files), DIRECTORY, { fixedJobId: JOB_ID })
  const writer = job.storage.snapshotWriter()
  const store = async (identity: SnapshotIdentity, bytes: Uint8Array) => {
    const stream = writer.open(identity)
    await stream.append(bytes)
    return stream.finish()
  }
  const subtasks = await Promise.all(
    Array.from({ length: parallelism }, async (_, index) => {
      const keyGroups = keyGroupRangeOf(MAX_PARALLELISM, parallelism, index)
      const backend = backendWith(makeBackend, keyGroups, keys, parallelism, index)
      const at = { checkpointId: 1, operatorId: OPERATOR, subtask: index }
      const frozen = backend.freeze(1, written.format)
      while (!frozen.step(1000));
      const keyed = await frozen.write({ open: (scope) => writer.open({ ...at, kind: 'keyed', keyGroups }, scope) })
      frozen.release()
      await backend.close()
      const operator = await store({ ...at, kind: 'operator' }, operatorStateOf(index))
      return { index, finished: false, keyed, operator }
    }),
  )
  const coordinator = await store(
    { checkpointId: 1, operatorId: OPERATOR, subtask: 0, kind: 'coordinator' },
    coordinated,
  )
  const operator = { operatorId: OPERATOR, uid: `${name}-uid`, name, parallelism, maxParallelism: MAX_PARALLELISM }
  const { path } = await job.storage.publish({
    jobId: job.jobId,
    jobName: 'wordcount',
    epoch: job.epoch,
    checkpointId: 1,
    kind,
    timestamp: Date.UTC(2026, 0, 2, 3, 4, 5),
    operators: [{ ...operator, coordinator, subtasks }],
  })
  return path
}

function backendWith(
  makeBackend: (options: TestBackend) => KeyedStateBackend,
  keyGroups: { readonly first: number; readonly last: number },
  keys: readonly unknown[],
  parallelism: number,
  subtask: number,
): KeyedStateBackend {
  const clock = new VirtualClock({ startMs: 5000 })
  const backend = makeBackend({ maxParallelism: MAX_PARALLELISM, keyGroups, clock })
  const value = backend.getState(new ValueStateDescriptor<unknown>('value'))
  const list = backend.getListState(new ListStateDescriptor<unknown>('list'))
  const map = backend.getMapState(new MapStateDescriptor<string, number>('map'))
  const sum = backend.getReducingState(new ReducingStateDescriptor<number>('sum', (a, b) => a + b))
  const mean = backend.getAggregatingState(
    new AggregatingStateDescriptor<number, number[], number>('mean', {
      createAccumulator: () => [],
      add: (one, all) => [...all, one],
      getResult: (all) => all.length,
      merge: (a, b) => [...a, ...b],
    }),
  )
  const loud = backend.getState(new ValueStateDescriptor<string>('loud', { serializer: shouting }))
  const brief = backend.getState(new ValueStateDescriptor<number>('brief', { ttl: { ttl: '1 h' } }))
  const briefList = backend.getListState(new ListStateDescriptor<number>('brief-list', { ttl: { ttl: '1 h' } }))
  const briefMap = backend.getMapState(new MapStateDescriptor<string, number>('brief-map', { ttl: { ttl: '1 h' } }))
  const target = { onEventTime: () => {}, onProcessingTime: () => {} }
  const timers = createTimerService({ backend, clock, target, due: () => {} })
  keys.forEach((key, place) => {
    if (subtaskOfKeyGroup(keyGroupOf(key, MAX_PARALLELISM), MAX_PARALLELISM, parallelism) !== subtask) return
    backend.setCurrentKey(key)
    value.update({ place, at: new Date(place) })
    list.addAll([place, undefined])
    map.set('one', place)
    map.set('two', place)
    sum.add(place)
    mean.add(place)
    loud.update(`loud ${place}`)
    brief.update(place)
    briefList.add(place)
    briefMap.set('k', place)
    timers.registerEventTimeTimer(undefined, place)
    timers.registerProcessingTimeTimer('window', 9000 + place)
  })
  backend.clearCurrentKey()
  timers.close()
  return backend
}

function operatorStateOf(subtask: number): Uint8Array {
  const store = operatorStateStore({ subtask })
  store.getListState(new ListStateDescriptor<unknown>('positions')).addAll([{ subtask }, 7n])
  store.getUnionListState(new ListStateDescriptor<string>('everywhere', { serializer: shouting })).add('hello')
  store.getBroadcastState(new MapStateDescriptor<unknown, unknown>('rules')).set('limit', { most: 5 })
  return store.snapshot() as Uint8Array
}

export interface Shown {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** The whole command, in this process. */
export async function millrace(files: FileSystem, ...argv: readonly string[]): Promise<Shown> {
  const [out, err]: [string[], string[]] = [[], []]
  const output = (texts: string[]) => ({
    write: (text: string) => void texts.push(text),
    isTerminal: false,
    columns: () => 80,
  })
  const never = () => {
    throw new Error('an inspection must not do this')
  }
  const boundary: ProcessBoundary = {
    argv,
    environment: {},
    out: output(out),
    err: output(err),
    clock: new VirtualClock(),
    files,
    http: { request: never },
    absolutePath: (path) => path,
    setArguments: never,
    importJob: never,
    onSignal: never,
    onIdle: never,
    onUncaught: never,
    setIdleTimer: never,
    exit: never,
  }
  const code = await command(boundary)
  return { code, out: out.join(''), err: err.join('') }
}
