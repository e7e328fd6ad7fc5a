/** A job in which every moment of a checkpoint has a door, and what its checkpoints may leave on the disk. */
import { decodeMetadata, METADATA_NAME } from '../../src/checkpoint/metadata-format.ts'
import { ownFilesIn } from '../../src/checkpoint/stored-handles.ts'
import { defaultSerializer, type Serializer } from '../../src/elements/serializer.ts'
import {
  defineSource,
  ListStateDescriptor,
  type Source,
  type StreamExecutionEnvironment,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../src/index.ts'
import { pathsBelow } from '../simulation/disk-contents.ts'
import type { LinkKind, World } from './harness.ts'
import { type Entry, Ledger, type LedgerHooks, range } from './parts.ts'

export type CheckpointMode = 'aligned' | 'unaligned' | 'alternating'

/** How the barriers of the claims travel. */
export const CHECKPOINT_MODES: readonly CheckpointMode[] = ['aligned', 'unaligned', 'alternating']

/** Each thing in each mode, dealt out to the two links in turn: what is claimed is the same over both. */
export function inEachMode<T>(things: readonly T[], link: LinkKind): readonly (readonly [T, CheckpointMode])[] {
  return dealt(
    things.flatMap((thing) => CHECKPOINT_MODES.map((mode) => [thing, mode] as const)),
    link,
  )
}

/** Each thing in one mode, which has no part in what is claimed; modes and links take turns. */
export function inSomeMode<T>(things: readonly T[], link: LinkKind): readonly (readonly [T, CheckpointMode])[] {
  return dealt(
    things.map((thing, index) => [thing, CHECKPOINT_MODES[(index + 1) % CHECKPOINT_MODES.length] as CheckpointMode]),
    link,
  )
}

function dealt<T>(cases: readonly T[], link: LinkKind): readonly T[] {
  return cases.filter((_, index) => (index % 2 === 0 ? 'direct' : 'cloned') === link)
}

/** Where something may happen to a checkpoint. */
export type Door =
  /** The split enumerator gives its state. */
  | 'enumerator'
  /** A record is written to a sink: no control element is taken before that is settled. */
  | 'write'
  | 'prepareCommit'
  | 'snapshotState'
  /** Serializers of the synchronous part. */
  | 'operator state'
  | 'committable'
  /** A serializer of the asynchronous part. */
  | 'keyed state'
  | 'makeDurable'

export interface CountsOptions {
  readonly mode: CheckpointMode
  readonly count?: number | undefined
  readonly intervalMs?: number | undefined
  /** May throw, or have the checkpoint wait. `checkpointId`: the last that was triggered. */
  readonly at?: ((door: Door, checkpointId: number) => void | Promise<void>) | undefined
  /** An earlier run of the job: this one commits to the same stores. */
  readonly goesOn?: Counts | undefined
  /** The source throws when it resolves, once. */
  readonly down?: Promise<void> | undefined
}

export interface Counts {
  readonly near: Ledger<string>
  readonly far: Ledger<string>
  /** What one function was told of checkpoints: `snapshot 1`, `complete 1`, `aborted 2`. */
  readonly log: string[]
}

const EVERY_MS = 10
const KEYS = 3

/**
 * Counts the records of each key, over two exchanges. `middle` has one sink in its chain (`near`) and one behind an
 * exchange (`far`), which reads from the source as well: there barriers wait for each other. All state lies in files.
 */
export function counts(env: StreamExecutionEnvironment, world: World, options: CountsOptions): Counts {
  const { mode, intervalMs = 40, at = () => undefined } = options
  const config = env.enableCheckpointing(intervalMs).getCheckpointConfig().setCheckpointStorage('/checkpoints')
  if (mode !== 'aligned') config.enableUnalignedCheckpoints()
  if (mode === 'alternating') config.setAlignedCheckpointTimeout(5)
  env.configure({ 'execution.checkpointing.data-inline-threshold': 0 })
  const door = (name: Door) => at(name, world.ofType('checkpoint.triggered').at(-1)?.checkpointId ?? 0)
  const log: string[] = []
  const { near, far } = options.goesOn ?? stores(door, at)
  const numbers = env.fromSource(source(world, options), WatermarkStrategy.noWatermarks(), 'numbers').uid('numbers')
  const middle = numbers
    .keyBy((value) => value % KEYS)
    .process<string>((context) => {
      const serializer = withDoor<number>('count', () => door('keyed state'))
      const count = context.getState(new ValueStateDescriptor('count', { default: () => 0, serializer }))
      return {
        processElement(_, at, out) {
          count.update(count.value() + 1)
          out.collect(`${at.getCurrentKey()}:${count.value()}`)
        },
      }
    })
    .setParallelism(2)
    .uid('counts')
    .rebalance()
    .process<string>(() => ({
      initializeState(context) {
        const serializer = withDoor<string>('seen', () => door('operator state'))
        const seen = context
          .getOperatorStateStore()
          .getListState(new ListStateDescriptor<string>('seen', { serializer }))
        if (!context.isRestored()) seen.add('one')
      },
      processElement: (value, _, out) => out.collect(value),
      snapshotState(context) {
        log.push(`snapshot ${context.getCheckpointId()}`)
        void door('snapshotState')
      },
      notifyCheckpointComplete: (checkpointId) => void log.push(`complete ${checkpointId}`),
      notifyCheckpointAborted: (checkpointId) => void log.push(`aborted ${checkpointId}`),
    }))
    .name('middle')
    .uid('middle')
  middle.sinkTo(near).uid('near')
  const none = numbers.filter(() => false).map(String)
  middle.rebalance().union(none).sinkTo(far).name('far').uid('far')
  return { near, far, log }
}

function stores(door: (name: Door) => void | Promise<void>, at: NonNullable<CountsOptions['at']>) {
  const hooks: LedgerHooks<string> = {
    write: () => door('write'),
    prepare: () => door('prepareCommit'),
    makeDurable: (checkpointId) => at('makeDurable', checkpointId),
  }
  const committableSerializer = withDoor<Entry<string>>('entry', () => door('committable'))
  return { near: Object.assign(new Ledger<string>(hooks), { committableSerializer }), far: new Ledger<string>() }
}

/** What both sinks have in the end, sorted. */
export const countsOf = (count: number): readonly string[] =>
  range(0, count - 1)
    .map((value) => `${value % KEYS}:${Math.floor(value / KEYS) + 1}`)
    .toSorted()

function source(world: World, { count = 40, at = () => undefined, down }: CountsOptions): Source<number> {
  let failing = down?.then(() => {
    failing = undefined
    throw new Error('down')
  })
  failing?.catch(() => {})
  const numbers = defineSource<number, number>({
    boundedness: 'bounded',
    splits: () => ['numbers'],
    start: () => 0,
    async *read(_, position) {
      for (let value = position; value < count; value++) {
        const waiting = world.sleep(EVERY_MS)
        await (failing === undefined ? waiting : Promise.race([waiting, failing]))
        yield { value, position: value + 1 }
      }
    },
  })
  return {
    boundedness: 'bounded',
    createEnumerator(context, restored) {
      const enumerator = numbers.createEnumerator(context as never, restored as never)
      const plain = enumerator.snapshotState.bind(enumerator)
      const snapshotState = (checkpointId: number) => {
        const state = plain(checkpointId)
        const waiting = at('enumerator', checkpointId)
        return waiting === undefined ? state : waiting.then(() => state)
      }
      return Object.assign(enumerator, { snapshotState }) as never
    },
    createReader: (context) => numbers.createReader(context) as never,
  }
}

function withDoor<T>(id: string, pass: () => unknown): Serializer<T> {
  const plain = defaultSerializer<T>()
  return {
    id,
    version: 1,
    serialize(value) {
      pass()
      return plain.serialize(value)
    },
    deserialize: (bytes) => plain.deserialize(bytes, plain.version),
  }
}

/** What waits until it is let go. */
export interface Gate {
  readonly opened: Promise<void>
  open(): void
}

export function gate(): Gate {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

/** Files and folders of checkpoints that are over, and files that no metadata names: there must be none. */
export function strays(world: World): readonly string[] {
  const { disk } = world.files
  const over = new Set(
    [...world.ofType('checkpoint.completed'), ...world.ofType('checkpoint.aborted')].map((event) => event.checkpointId),
  )
  const paths = [...pathsBelow(disk, '/checkpoints'), ...pathsBelow(disk, '/savepoints')]
  const named = new Set(paths.filter((path) => path.endsWith(`/${METADATA_NAME}`)).flatMap(namedBy))
  return paths.filter((path) => {
    const [, id] = /\/epoch-\d+\/chk-(\d+)\//.exec(path) ?? []
    if (id !== undefined) return over.has(Number(id))
    if (/\/epoch-\d+\/(deleted-|job\.json)/.test(path)) return true
    return /\/(chk|savepoint)-[^/]+\/[^/]+$/.test(path) && !named.has(path)
  })

  function namedBy(path: string): readonly string[] {
    const { bytes, length } = disk.file(path)
    if (/\/epoch-\d+\//.test(path)) return []
    const folder = path.slice(0, -METADATA_NAME.length)
    return [path, ...ownFilesIn(decodeMetadata(bytes.subarray(0, length), path)).map((file) => `${folder}${file.path}`)]
  }
}

/** Of a task, by name: what its alignment heard of this checkpoint. */
export function heard(world: World, vertex: string, checkpointId: number): readonly string[] {
  return world.steps.flatMap(({ id, fact }) => {
    const {
      type,
      barrier,
      checkpointId: cancelled,
    } = fact as {
      readonly type: string
      readonly barrier?: { readonly checkpointId: number }
      readonly checkpointId?: number
    }
    return id.includes(vertex) && id.endsWith('/alignment') && (barrier?.checkpointId ?? cancelled) === checkpointId
      ? [type]
      : []
  })
}
