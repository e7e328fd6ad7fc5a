/**
 * Runs one reader of a source: its life, its splits in and out of state, its watermarks. It moves records in a plain
 * loop and decides nothing about checkpoints.
 */
import type { Timer } from '../base/clock.ts'
import { defaultSerializer, type Serializer } from '../elements/serializer.ts'
import { type ListState, ListStateDescriptor } from '../state/descriptors.ts'
import { unframed } from './framed.ts'
import {
  END_OF_INPUT,
  type Gate,
  MORE_AVAILABLE,
  type OperatorContext,
  type OperatorFactory,
  type SourceOperator,
  type SourceStatus,
} from './operator.ts'
import type { ReaderOutput, Source, SourceReader, SourceSplit } from './source.ts'
import { SourceOutput } from './source-output.ts'
import type { WatermarkStrategy } from './watermark-strategy.ts'

/**
 * The operator of a source. Its splits are operator state that is dealt out again at another parallelism. Watermarks are
 * emitted every `autoWatermarkIntervalMs`; 0 turns the periodic emission off. The last watermark of an ended input is
 * the subtask's to emit.
 */
export function sourceOperator<T>(
  source: Source<T>,
  strategy: WatermarkStrategy<T>,
  autoWatermarkIntervalMs: number,
): OperatorFactory {
  return (context) => new ReadingOperator(source, strategy, autoWatermarkIntervalMs, context as OperatorContext<T>)
}

/** A split of the checkpoint that is restored, still in bytes: thousands of them are read in portions. */
class StoredSplit {
  readonly #bytes: Uint8Array
  readonly #version: number

  constructor(bytes: Uint8Array, version: number) {
    this.#bytes = bytes
    this.#version = version
  }

  read(serializer: Serializer<SourceSplit>): SourceSplit {
    return serializer.deserialize(this.#bytes, this.#version)
  }
}

/** The same format; what is restored is not read yet. */
function readLater(serializer: Serializer<SourceSplit>): Serializer<SourceSplit | StoredSplit> {
  return {
    id: serializer.id,
    version: serializer.version,
    serialize: (split) => serializer.serialize(split instanceof StoredSplit ? split.read(serializer) : split),
    deserialize: (bytes, version) => new StoredSplit(bytes, version),
  }
}

/** Of those that are restored. */
const SPLITS_AT_ONCE = 200

class ReadingOperator<T> implements SourceOperator {
  readonly inputs = []
  readonly #context: OperatorContext<T>
  readonly #gate: Gate
  readonly #reader: SourceReader<T, SourceSplit>
  readonly #output: SourceOutput<T>
  readonly #readerOutput: ReaderOutput<T>
  readonly #serializer: Serializer<SourceSplit>
  readonly #splits: ListState<SourceSplit | StoredSplit>
  /** 0: no periodic emission. */
  readonly #intervalMs: number
  #timer: Timer | undefined
  #ended = false
  #stopped = false

  constructor(source: Source<T>, strategy: WatermarkStrategy<T>, intervalMs: number, context: OperatorContext<T>) {
    const { task, counters, gate, clock, output } = context
    const needsTicks = strategy.createGenerator !== undefined || strategy.idlenessMs !== undefined
    this.#context = context
    this.#gate = gate
    this.#intervalMs = needsTicks ? intervalMs : 0
    this.#serializer = source.splitSerializer ?? defaultSerializer<SourceSplit>()
    this.#splits = (context.unfrozenOperatorState ?? context.operatorState).getListState(
      new ListStateDescriptor('source-splits', { serializer: readLater(this.#serializer) }),
    )
    this.#output = new SourceOutput({
      target: output,
      counters,
      gate,
      resumeLater: context.resumeLater,
      clock,
      strategy,
      operatorName: task.operatorName,
      sideOutput: context.sideOutput,
      blame: (thrown) => context.blame(thrown),
    })
    this.#readerOutput = this.#output.reader
    this.#reader = source.createReader({
      subtask: task.subtask,
      parallelism: task.parallelism,
      environment: { clock, files: context.files, logger: context.logger },
      sendSplitRequest: () => context.sendSplitRequest(),
      count: (name, added) => context.count(name, added),
      fail: (cause) => context.fail(cause),
    })
  }

  open(): void | Promise<void> {
    const restored = [...this.#splits.get()]
    if (restored.length > SPLITS_AT_ONCE) return this.#addInPortions(restored).then(() => this.#start())
    if (restored.length > 0) this.#addRestored(restored)
    this.#start()
  }

  emitNext(budget: number): SourceStatus {
    const gate = this.#gate
    const reader = this.#reader
    const output = this.#readerOutput
    for (let left = budget; left > 0 && gate.closed === 0; left--) {
      const status = reader.pollNext(output)
      if (status === MORE_AVAILABLE) continue
      if (status === END_OF_INPUT) this.#end()
      return status
    }
    return MORE_AVAILABLE
  }

  available(): Promise<void> {
    return this.#reader.isAvailable()
  }

  /** Behind a stop they are none of the reader's: the enumerator dealt them out behind its snapshot, which holds them still. */
  addSplits(splits: readonly Uint8Array[]): void {
    if (this.#stopped) return
    const owner = `the splits of source "${this.#context.task.operatorName}"`
    this.#addSplits(splits.map((bytes) => unframed(this.#serializer, bytes, owner)))
  }

  noMoreSplits(): void {
    this.#reader.notifyNoMoreSplits()
  }

  snapshotState(checkpointId: number): void {
    this.#splits.update(this.#reader.snapshotState(checkpointId))
  }

  notifyCheckpointComplete(checkpointId: number): void | Promise<void> {
    return this.#reader.notifyCheckpointComplete?.(checkpointId)
  }

  /** What the reader has read ahead stays its own: the position in its state is that of the last emitted record. */
  stop(): void {
    this.#stopped = true
    this.#end()
  }

  close(): void | Promise<void> {
    this.#end()
    return this.#reader.close()
  }

  #start(): void {
    this.#reader.start()
    this.#armTimer()
  }

  /** With other work of the thread between them. Until the last one is here nothing is read and nothing emitted. */
  async #addInPortions(splits: readonly (SourceSplit | StoredSplit)[]): Promise<void> {
    for (let first = 0; first < splits.length; first += SPLITS_AT_ONCE) {
      if (first > 0) await new Promise<void>((settle) => void this.#context.clock.setTimer(1, settle))
      this.#addRestored(splits.slice(first, first + SPLITS_AT_ONCE))
    }
  }

  #addRestored(splits: readonly (SourceSplit | StoredSplit)[]): void {
    this.#addSplits(splits.map((split) => (split instanceof StoredSplit ? split.read(this.#serializer) : split)))
  }

  #end(): void {
    this.#ended = true
    this.#timer?.cancel()
  }

  /** A split holds the watermark back from the moment on that it is here, not from its first record on. */
  #addSplits(splits: readonly SourceSplit[]): void {
    for (const split of splits) this.#output.createOutputForSplit(split.id)
    this.#reader.addSplits(splits)
  }

  #armTimer(): void {
    if (this.#intervalMs <= 0 || this.#ended) return
    this.#timer = this.#context.clock.setTimer(this.#intervalMs, () => this.#context.mail(() => this.#tick()))
  }

  #tick(): void {
    if (this.#ended) return
    this.#output.emitPeriodically()
    this.#armTimer()
  }
}
