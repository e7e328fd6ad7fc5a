/** A base made of logs that hold every entry once. */
import type { SnapshotTarget } from '../snapshot.ts'
import type { ChainBase } from './checkpoint-chain.ts'
import { EntryLogWriter } from './entry-log.ts'
import type { EntryPage } from './whole-snapshot.ts'

/** A file ends behind so many bytes. */
const FILE_BYTES = 64 * 1024 * 1024

/** Rejects with nothing left behind. */
export async function writeDump(
  target: SnapshotTarget,
  scope: 'own' | 'shared',
  pages: AsyncIterable<EntryPage>,
): Promise<{ readonly base: ChainBase; abandon(): Promise<void> }> {
  const log = new EntryLogWriter(target, scope, FILE_BYTES)
  try {
    for await (const { entries } of pages)
      for (const entry of entries) {
        const written = log.add(entry)
        if (written !== undefined) await written
      }
    const files = await log.finish()
    const base: ChainBase = files.length === 0 ? { kind: 'none' } : { kind: 'dump', files }
    return { base, abandon: () => log.abandon() }
  } catch (thrown) {
    await log.abandon()
    throw thrown
  }
}
