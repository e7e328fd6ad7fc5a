// Throw-away: until src/runtime/open-store.ts is wired.
import { openJob } from '../../src/checkpoint/job-directory.ts'
import { readMetadata } from '../../src/checkpoint/completed-checkpoints.ts'
import { fileObjects } from '../../src/checkpoint/file-objects.ts'
import { verifyCheckpoint } from '../../src/checkpoint/state-reading.ts'
export async function openStore(graph: any, settings: any, { ports, jobName, start }: any): Promise<any> {
  const opened = await openJob({
    ports, directory: settings.storage.directory, name: jobName, resume: start.resume, fromSavepoint: start.fromSavepoint,
    takeover: start.takeover ?? false, graphHash: graph.hash, inlineThresholdBytes: settings.storage.inlineThresholdBytes,
  })
  if (opened.start.kind === 'alreadyEnded') return { type: 'alreadyEnded', jobId: opened.jobId, status: 'FINISHED', message: opened.start.message }
  const { storage } = opened
  const known = new Map<string, any>()
  const load = async (location: string) => {
    const objects = fileObjects(ports.files, location)
    const metadata = await readMetadata(objects)
    await verifyCheckpoint(objects, metadata)
    known.set(location, metadata)
    return metadata
  }
  const metadata = 'metadata' in opened.start ? opened.start.metadata : undefined
  if (metadata !== undefined && 'location' in opened.start) known.set(opened.start.location, metadata)
  return {
    type: 'opened', jobId: opened.jobId, epoch: opened.epoch, metadata,
    startedFrom: 'location' in opened.start ? { checkpointId: opened.start.metadata.checkpointId, location: opened.start.location, owned: opened.start.kind === 'checkpoint' } : undefined,
    completed: opened.retained.map((c) => ({ checkpointId: c.metadata.checkpointId, location: c.location })),
    nextCheckpointId: opened.nextCheckpointId,
    close: () => storage.close(),
    store: {
      durable: true,
      snapshotWriter: storage.snapshotWriter(),
      reader: (location: string) => ({ read: (handle: any) => storage.snapshotReader({ location, metadata: known.get(location) }).read(handle) }),
      load,
      publish: async (m: any) => { const { path, size } = await storage.publish(m); known.set(path, m); return { location: path, bytes: size } },
      listCompleted: async () => (await storage.readCompleted()).map((c) => ({ checkpointId: c.metadata.checkpointId, location: c.location })),
      discard: (id: number) => storage.discard(id),
      discardPending: (id: number) => storage.discardPending(id),
      removeHandles: (_id: number, handles: any) => storage.removeHandles(handles),
      writeRecord: (o: any) => storage.writeRecord({ status: o.status, checkpoints: o.checkpoints }),
    },
  }
}
