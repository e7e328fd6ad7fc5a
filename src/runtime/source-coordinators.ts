/** The enumerators of all sources of a job, for one attempt: made from a checkpoint, snapshotted together, closed together. */
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
  fail(cause: unknown): void
}

export class SourceCoordinators {
  readonly #options: SourceCoordinatorsOptions
  /** By index of the vertex. */
  readonly #coordinators: ReadonlyMap<number, SourceCoordinator>

  #closing: Promise<boolean> | undefined

  private constructor(options: SourceCoordinatorsOptions, coordinators: ReadonlyMap<number, SourceCoordinator>) {
    this.#options = options
    this.#coordinators = coordinators
  }

  static async restore(
    options: SourceCoordinatorsOptions,
    restored: { readonly metadata: CheckpointMetadata; readonly reader: SnapshotReader } | undefined,
  ): Promise<SourceCoordinators> {
    const coordinators = new Map<number, SourceCoordinator>()
    const sources = new SourceCoordinators(options, coordinators)
    try {
      await sources.#make(coordinators, restored)
    } catch (thrown) {
      // One could not be made, by a user's throw or for its state: those that were are closed.
      await sources.close()
      throw thrown
    }
    return sources
  }

  async #make(
    coordinators: Map<number, SourceCoordinator>,
    restored: { readonly metadata: CheckpointMetadata; readonly reader: SnapshotReader } | undefined,
  ): Promise<void> {
    const options = this.#options
    for (const [index, vertex] of options.graph.vertices.entries()) {
      if (vertex.source === undefined) continue
      const handle = restored?.metadata.operators.find(({ operatorId }) => operatorId === vertex.id)?.coordinator
      assert(handle?.type !== 'composite', `the enumerator of ${vertex.name} has state of several files`)
      const coordinator = new SourceCoordinator({
        source: vertex.source as Source<unknown>,
        operatorName: vertex.operators[0]?.name ?? vertex.name,
        parallelism: vertex.parallelism,
        environment: options.environment,
        restored: handle === undefined ? undefined : await restored?.reader.read(handle),
        send: (subtask, event) => options.send(index, subtask, event),
        fail: options.fail,
      })
      coordinators.set(index, coordinator)
    }
  }

  async start(): Promise<void> {
    await Promise.all([...this.#coordinators.values()].map((coordinator) => coordinator.start()))
  }

  readerRegistered(vertex: number, subtask: number): void {
    this.#coordinators.get(vertex)?.readerRegistered(subtask)
  }

  splitRequested(vertex: number, subtask: number): void {
    this.#coordinators.get(vertex)?.splitRequested(subtask)
  }

  /** By operator id. */
  async snapshot(checkpointId: number): Promise<ReadonlyMap<string, StateHandle>> {
    const handles = await Promise.all(
      [...this.#coordinators].map(async ([index, coordinator]) => {
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
    for (const coordinator of this.#coordinators.values()) coordinator.triggered(checkpointId)
  }

  notifyCheckpointComplete(checkpointId: number): void {
    for (const coordinator of this.#coordinators.values()) coordinator.notifyCheckpointComplete(checkpointId)
  }

  /** True when all have closed in time; what one of them throws on its way out is not what ends the job. */
  close(): Promise<boolean> {
    this.#closing ??= this.#closeAll()
    return this.#closing
  }

  #closeAll(): Promise<boolean> {
    const { environment, closeTimeoutMs } = this.#options
    const closed = Promise.allSettled([...this.#coordinators.values()].map((coordinator) => coordinator.close()))
    return new Promise((resolve) => {
      const timer = environment.clock.setTimer(closeTimeoutMs, () => resolve(false))
      closed.then(() => {
        timer.cancel()
        resolve(true)
      })
    })
  }
}
