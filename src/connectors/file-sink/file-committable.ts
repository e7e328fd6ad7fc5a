/** What is committed of a file sink, and its form in a checkpoint. */
import { StreamError } from '../../base/errors.ts'
import { defaultSerializer, type Serializer } from '../../elements/serializer.ts'

/**
 * What makes a pre-committed file visible, and proves that it is the right one. Names are relative to the sink's folder,
 * both in the folder of the same bucket.
 */
export interface FileCommittable {
  readonly pending: string
  readonly final: string
  /** In bytes. */
  readonly length: number
  /** 64 hexadecimal digits. */
  readonly sha256: string
}

/** Version 1 knew no buckets and was what the default serializer makes of the object: its id is the id of this format. */
const former = defaultSerializer<FileCommittable>()

/**
 * Version 2 is the object in JSON. A program that knows no buckets would not make their folders durable, and must refuse it.
 */
export const fileCommittableSerializer: Serializer<FileCommittable> = {
  id: former.id,
  version: 2,
  serialize: ({ pending, final, length, sha256 }) => Buffer.from(JSON.stringify({ pending, final, length, sha256 })),
  deserialize(bytes, version) {
    if (version === former.version) return former.deserialize(bytes, version)
    try {
      return JSON.parse(Buffer.from(bytes).toString()) as FileCommittable
    } catch (cause) {
      // JSON.parse: these bytes are not what was written.
      throw new StreamError('STATE_CORRUPT', {
        message: 'The state of a file sink holds a file to be committed that cannot be read.',
        hint: 'Restore the checkpoint from a copy, or start from another checkpoint or savepoint by name.',
        details: { length: bytes.length },
        cause,
      })
    }
  },
}
