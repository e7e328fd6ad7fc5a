/** How records wait in a checkpoint for being handed out, where their stream has a serializer of its own. */
import { defaultSerializer, type Serializer } from '../../elements/serializer.ts'
import type { CollectedBatch } from './exact-hand-out.ts'

export function collectedBatchSerializer<T>(values: Serializer<T>): Serializer<CollectedBatch<T>> {
  const batches = defaultSerializer<CollectedBatch<Uint8Array>>()
  return {
    id: `${batches.id}/${values.id}`,
    version: values.version,
    serialize: (batch) => batches.serialize({ ...batch, values: batch.values.map((value) => values.serialize(value)) }),
    deserialize(bytes, version) {
      const batch = batches.deserialize(bytes, batches.version)
      return { ...batch, values: batch.values.map((value) => values.deserialize(value, version)) }
    },
  }
}
