/**
 * The enumerators of all sources of a job: made from a checkpoint and closed with the tasks of their vertex, snapshotted
 * together.
 */
import { assert } from '../base/assert.ts'
import type { CheckpointMetadata } from '../checkpoint/checkpoint-metadata.ts'
import type { JobGraph, JobVertex } from '../graph/job-graph.ts'
import type { Source, SourceEnvironment } from '../operators/source.ts'
import type { SnapshotReader, SnapshotWriter, StateHandle } from '../state/snapshot.ts'
import { SourceCoordinator, type SourceEvent } from './source-coordinator.ts'

export interface SourceCoordinatorsOptions {
  readonly graph: JobGraph
  readonly environment: SourceEnvironment
  readonly snapshotWriter: SnapshotWriter
  /** `task.cancellation.timeout`: how long an enumerator may take to close. */
  readonly closeTimeoutMs: number
  send(vertex: number, subtask: number, event: SourceEvent): void
  /** Of the source with this operator id. */
  backlogChanged(source: string, backlog: boolean): void
  fail(cause: unknown): void
}

/** Closed where `closing` is there: true when it has closed in time. */
interface Kept {
  readonly coordinator: SourceCoordinator
  closing?: Promise<boolean> | undefined
}

export class SourceCoordinators {
  readonly #options: SourceCoordinatorsOptions
  /** By index of the vertex. */
  readonly #kept = new Map<number, Kept>()

  constructor(options: SourceCoordinatorsOptions) {
    this.#options = options
  }

  /** Those of these vertices, in the place of earlier ones, which are closed. */
  async restore(
    vertices: ReadonlySet<number>,
    restored: { readonly metadata: CheckpointMetadata; readonly reader: SnapshotReader } | undefined,
  ): Promise<void> {
    const made = new Map<number, Kept>()
    try {
      for (const [index, vertex] of this.#options.graph.vertices.entries())
        if (vertices.has(index) && vertex.source !== undefined)
          made.set(index, { coordinator: await this.#make(index, vertex, restored) })
    } catch (thrown) {
      // One could not be made, by a user's throw or for its state: those that were are closed.
      await Promise.all([...made.values()].map((kept) => this.#close(kept)))
      throw thrown
    }
    for (const [index, kept] of made) this.#kept.set(index, kept)
  }

  async #make(
    index: number,
    vertex: JobVertex,
    restored: { readonly metadata: CheckpointMetadata; readonly reader: SnapshotReader } | undefined,
  ): Promise<SourceCoordinator> {
    const options = this.#options
    const handle = restored?.metadata.operators.find(({ operatorId }) => operatorId === vertex.id)?.coordinator
    assert(handle?.type !== 'composite', `the enumerator of ${vertex.name} has state of several files`)
    return new SourceCoordinator({
      source: vertex.source as Source<unknown>,
      operatorName: vertex.operators[0]?.name ?? vertex.name,
      parallelism: vertex.parallelism,
      environment: options.environment,
      restored: handle === undefined ? undefined : await restored?.reader.read(handle),
      send: (subtask, event) => options.send(index, subtask, event),
      backlogChanged: (backlog) => options.backlogChanged(vertex.id, backlog),
      fail: options.fail,
    })
  }

  async start(vertices: ReadonlySet<number>): Promise<void> {
    await Promise.all([...vertices].map((index) => this.#kept.get(index)?.coordinator.start()))
  }

  readerRegistered(vertex: number, subtask: number): void {
    this.#kept.get(vertex)?.coordinator.readerRegistered(subtask)
  }

  splitRequested(vertex: number, subtask: number): void {
    this.#kept.get(vertex)?.coordinator.splitRequested(subtask)
  }

  /** By operator id. */
  async snapshot(checkpointId: number): Promise<ReadonlyMap<string, StateHandle>> {
    const handles = await Promise.all(
      [...this.#kept].map(async ([index, { coordinator }]) => {
        const operatorId = (this.#options.graph.vertices[index] as JobVertex).id
        const state = await coordinator.snapshot(checkpointId)
        const stream = this.#options.snapshotWriter.open({ checkpointId, operatorId, subtask: 0, kind: 'coordinator' })
        await stream.append(state)
        return [operatorId, await stream.finish()] as const
      }),
    )
    return new Map(handles)
  }

  /** Its triggers are on their way, or it is given up. */
  triggered(checkpointId: number): void {
    for (const { coordinator } of this.#kept.values()) coordinator.triggered(checkpointId)
  }

  notifyCheckpointComplete(checkpointId: number): void {
    for (const { coordinator } of this.#kept.values()) coordinator.notifyCheckpointComplete(checkpointId)
  }

  /** Of these vertices, or all: true when they have closed in time. What one throws on its way out does not end the job. */
  async close(vertices: Iterable<number> = this.#kept.keys()): Promise<boolean> {
    const kept = [...vertices].flatMap((index) => this.#kept.get(index) ?? [])
    const closed = await Promise.all(kept.map((one) => this.#close(one)))
    return closed.every((inTime) => inTime)
  }

  #close(kept: Kept): Promise<boolean> {
    const { environment, closeTimeoutMs } = this.#options
    kept.closing ??= new Promise((resolve) => {
      const timer = environment.clock.setTimer(closeTimeoutMs, () => resolve(false))
      const closed = () => {
        timer.cancel()
        resolve(true)
      }
      kept.coordinator.close().then(closed, closed)
    })
    return kept.closing
  }
}
