/** Takes a snapshot of keyed state in one go and in memory, for tests and replays. */
import type { FrozenKeyedState, KeyedStateBackend } from '../state/state-backend.ts'

/** Freezes, serialises and gives the payload. */
export function keyedSnapshot(backend: KeyedStateBackend, checkpointId: number): Uint8Array {
  return finishSnapshot(backend.freeze(checkpointId))
}

/** Serialises what is left of a frozen state, gives its payload and releases it. */
export function finishSnapshot(frozen: FrozenKeyedState): Uint8Array {
  try {
    while (!frozen.step(1024));
    const chunks: Uint8Array[] = []
    for (const chunk of frozen.payload()) chunks.push(chunk)
    return new Uint8Array(Buffer.concat(chunks))
  } finally {
    frozen.release()
  }
}
