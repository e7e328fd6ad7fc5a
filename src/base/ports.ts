/** Everything that is not deterministic, in one object. Tests and simulations hand in their own. */
import type { Clock } from './clock.ts'
import type { FileSystem } from './file-system.ts'
import type { Ids } from './ids.ts'
import type { Locks } from './locks.ts'
import type { Logger } from './logger.ts'
import type { OrderedStores } from './ordered-store.ts'
import type { Random } from './random.ts'
import type { Turns } from './turns.ts'

export interface Ports {
  readonly clock: Clock
  readonly turns: Turns
  readonly random: Random
  readonly ids: Ids
  readonly files: FileSystem
  readonly locks: Locks
  readonly logger: Logger
  /** Left out: LevelDB. */
  readonly stores?: OrderedStores | undefined
}
