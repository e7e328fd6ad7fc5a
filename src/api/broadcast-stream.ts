/**
 * A stream that every subtask of the next operator sees whole, with the states that are kept of it. For `connect`
 * alone.
 */
import type { Transformation } from '../graph/transformation.ts'
import type { BroadcastDescriptor } from '../operators/broadcast-states.ts'
import { refused } from './operator-settings.ts'

/**
 * A stream that every subtask of the next operator sees whole, with the states that are kept of it. For `connect`
 * alone.
 */
export class BroadcastStream<out T> {
  /** Never set: tells the types of streams apart. */
  declare readonly elementType?: T | undefined
  /** What was recorded for this stream: for other streams, not for programs. */
  readonly transformation: Transformation
  readonly descriptors: readonly BroadcastDescriptor[]

  /** Comes from `stream.broadcast(descriptor)`; a program makes none itself. Throws INVALID_ARGUMENT for what is no map state, for a name given twice and for a time-to-live. */
  constructor(transformation: Transformation, descriptors: readonly BroadcastDescriptor[]) {
    for (const [index, descriptor] of descriptors.entries()) {
      if (descriptor?.kind !== 'map') throw refused('broadcast', descriptor, 'descriptors of map state')
      if (descriptors.findIndex(({ name }) => name === descriptor.name) !== index)
        throw refused('broadcast', descriptor.name, 'each state a name of its own')
      if (descriptor.ttl !== undefined)
        throw refused(
          'broadcast',
          descriptor.name,
          'descriptors without a time-to-live: broadcast state does not expire',
        )
    }
    this.transformation = transformation
    this.descriptors = descriptors
  }
}
