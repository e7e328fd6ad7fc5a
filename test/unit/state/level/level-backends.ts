/** Backends of the tests: on simulated stores and a simulated disk, or whatever stores are given. */
import type { Clock } from '../../../../src/base/clock.ts'
import type { FileSystem } from '../../../../src/base/file-system.ts'
import { type Logger, silentLogger } from '../../../../src/base/logger.ts'
import type { OrderedStores } from '../../../../src/base/ordered-store.ts'
import { SimulatedFileSystem } from '../../../../src/base/simulated-file-system.ts'
import { simulatedStores } from '../../../../src/base/simulated-ordered-stores.ts'
import type { KeyGroupRange } from '../../../../src/state/key-group-range.ts'
import { levelStateBackend } from '../../../../src/state/level/level-state-backend.ts'
import type { PartSizes } from '../../../../src/state/level/part-sizes.ts'
import type { KeyedStateBackend } from '../../../../src/state/state-backend.ts'

export interface TestBackend {
  readonly maxParallelism: number
  readonly keyGroups: KeyGroupRange
  readonly clock: Clock
}

export interface TestStores {
  readonly stores?: OrderedStores | undefined
  readonly files?: FileSystem | undefined
  /** Left out: another one for each backend. */
  readonly folder?: string | undefined
  readonly logger?: Logger | undefined
  readonly cacheBytes: number
  readonly incremental?: boolean | undefined
  readonly keepsKeys?: boolean | undefined
  readonly partSizes?: PartSizes | undefined
  readonly pause?: ((settled: Promise<void>) => void) | undefined
  readonly failed?: ((cause: Error) => void) | undefined
}

let folders = 0

/** Makes backends; what fails the task is thrown at once where nobody wants to hear of it. */
export function levelBackends({
  files = new SimulatedFileSystem(),
  stores = simulatedStores({ files }),
  folder,
  logger = silentLogger,
  cacheBytes,
  incremental = true,
  keepsKeys = true,
  partSizes,
  pause = () => {},
  failed = (cause) => {
    throw cause
  },
}: TestStores): (options: TestBackend) => KeyedStateBackend {
  return (options) =>
    levelStateBackend({
      ...options,
      stores,
      files,
      logger,
      folder: folder ?? `/scratch/${folders++}`,
      cacheBytes,
      incremental,
      keepsKeys,
      partSizes,
      pause,
      failed,
    })
}
