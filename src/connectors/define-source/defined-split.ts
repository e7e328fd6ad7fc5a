/** A split of a user's own source. */
import type { SourceSplit } from '../../operators/source.ts'

export interface DefinedSplit<P> extends SourceSplit {
  /** Where reading goes on. Undefined: nothing was emitted, and no start was given. */
  readonly position: P | undefined
}
