/** Provisional: a store in memory. */
import { StreamError } from '../base/errors.ts'
import type { Ports } from '../base/ports.ts'
import type { CheckpointMetadata } from '../checkpoint/checkpoint-metadata.ts'
import type { JobGraph } from '../graph/job-graph.ts'
import type { StateHandle } from '../state/snapshot.ts'
import type { JobSettings } from './job-settings.ts'
import type { JobStore } from './job-master.ts'

export interface StartFrom {
  readonly fromSavepoint?: string | undefined
  readonly allowNonRestoredState?: boolean | undefined
  readonly claimMode?: 'NO_CLAIM' | 'CLAIM' | undefined
  readonly resume?: 'latest' | undefined
  readonly takeover?: boolean | undefined
}
export interface OpenedStore {
  readonly type: 'opened'
  readonly jobId: string
  readonly epoch: number
  readonly store: JobStore
  readonly metadata: CheckpointMetadata | undefined
  readonly startedFrom: { readonly checkpointId: number; readonly location: string; readonly owned: boolean } | undefined
  readonly completed: readonly { readonly checkpointId: number; readonly location: string }[]
  readonly nextCheckpointId: number
  close(): Promise<void>
}
export async function openStore(
  _graph: JobGraph,
  _settings: JobSettings,
  { ports }: { readonly ports: Ports },
): Promise<OpenedStore | { readonly type: 'alreadyEnded'; readonly jobId: string; readonly status: string; readonly message: string }> {
  const published = new Map<string, CheckpointMetadata>()
  return {
    type: 'opened', jobId: ports.ids.jobId(), epoch: 1, metadata: undefined, startedFrom: undefined, completed: [], nextCheckpointId: 1, async close() {},
    store: {
      durable: false,
      snapshotWriter: { open(identity) { const parts: Uint8Array[] = []; return { append: (b) => void parts.push(b), finish: async (): Promise<StateHandle> => ({ type: 'inline', identity, bytes: Buffer.concat(parts).toString('base64') }), async abandon() {} } } },
      reader: () => ({ read: async (handle) => { if (handle.type !== 'inline') throw new StreamError('INTERNAL', { message: 'x' }); return new Uint8Array(Buffer.from(handle.bytes, 'base64')) } }),
      load: async (location) => published.get(location) as CheckpointMetadata,
      publish: async (metadata) => { published.set(`chk-${metadata.checkpointId}`, metadata); return { location: `chk-${metadata.checkpointId}`, bytes: 0 } },
      listCompleted: async () => [], discard: async () => {}, discardPending: async () => {}, removeHandles: async () => {}, writeRecord: async () => {},
    },
  }
}
