/** What a seed stands for: a job, and what happens to each of its processes. */
import type { Configuration } from '../../../src/base/config/options.ts'
import { type Random, randomInteger, seededRandom } from '../../../src/base/random.ts'
import type { DurabilityModel } from '../../../src/base/simulated-disk.ts'
import { Input } from './accounts.ts'
import type { Ending } from './operator.ts'

export type Backend = 'hashmap' | 'leveldb'

export interface LifePlan {
  readonly seed: number
  /** What tasks and job tell each other arrives some time later, and as a copy. */
  readonly isCloned: boolean
  readonly parallelism: number
  /** Of the process behind it, where that starts from a canonical savepoint. */
  readonly nextBackend: Backend
  readonly claimMode: 'CLAIM' | 'NO_CLAIM'
  /** Instead of the location that a stop or a cancel told, the record of the job says where it goes on. */
  readonly resumes: boolean
  /** How often user code throws: of each transfer, of each commit. */
  readonly throwRate: number
  readonly commitFailRate: number
  readonly restarts: number
  readonly ending: Ending | undefined
  /** Its process is killed so long after its start. */
  readonly killAfterMs: number | undefined
  readonly loss: DurabilityModel | 'nothing'
  readonly pauseMs: number
}

export interface Plan {
  readonly seed: number
  readonly input: Input
  readonly backend: Backend
  readonly paceMs: number
  readonly slowMs: number
  readonly configuration: Configuration
  readonly lives: readonly LifePlan[]
}

/** Of the first ninety plans those that meet all that there is to meet, as few and short as can be. */
export const SAMPLE: readonly number[] = [63, 43, 44, 49, 50, 70, 78, 88]

export function planOf(seed: number): Plan {
  const random = seededRandom(seed)
  const lives = randomInteger(random, 1, 4)
  const isUnaligned = random.next() < 0.4
  return {
    seed,
    input: new Input({
      splits: randomInteger(random, 1, 3),
      perSplit: randomInteger(random, 12, 30),
      accountsPerSplit: randomInteger(random, 1, 4),
    }),
    backend: random.next() < 0.3 ? 'leveldb' : 'hashmap',
    paceMs: randomInteger(random, 1, 3),
    slowMs: random.next() < (isUnaligned ? 0.8 : 0.3) ? randomInteger(random, 1, 2) : 0,
    configuration: {
      'execution.checkpointing.interval': random.next() < 0.15 ? '1 h' : randomInteger(random, 10, 40),
      'execution.checkpointing.max-concurrent-checkpoints': isUnaligned ? 1 : randomInteger(random, 1, 2),
      'execution.checkpointing.num-retained': randomInteger(random, 1, 2),
      'execution.checkpointing.unaligned.enabled': isUnaligned,
      'execution.checkpointing.incremental': random.next() < 0.5,
      'execution.checkpointing.data-inline-threshold': random.next() < 0.5 ? 0 : 20_480,
      'pipeline.auto-watermark-interval': randomInteger(random, 2, 20),
      'execution.channel-credit': randomInteger(random, 1, 8),
      'state.backend.leveldb.cache-size': random.next() < 0.5 ? 0 : '1 mb',
    },
    lives: [...Array.from({ length: lives }, () => disturbed(random)), inPeace(random)],
  }
}

const ENDINGS: readonly (Ending['kinds'] | 'kill' | undefined)[] = [
  ['stop'],
  ['stop'],
  ['cancel with savepoint'],
  ['cancel'],
  ['drain'],
  ['stop', 'cancel'],
  ['stop', 'cancel with savepoint'],
  ['stop', 'stop', 'drain'],
  'kill',
  'kill',
  undefined,
]

function disturbed(random: Random): LifePlan {
  const kinds = ENDINGS[randomInteger(random, 0, ENDINGS.length - 1)]
  const isKilled = kinds === 'kill' || random.next() < 0.2
  const afterMs = randomInteger(random, 1, 70)
  return {
    ...inPeace(random),
    throwRate: random.next() < 0.5 ? random.next() * 0.03 : 0,
    commitFailRate: random.next() < 0.2 ? 0.2 : 0,
    restarts: random.next() < 0.2 ? randomInteger(random, 0, 1) : 1000,
    ending: kinds === undefined || kinds === 'kill' ? undefined : { kinds, afterMs },
    killAfterMs: isKilled ? afterMs + randomInteger(random, 0, 12) : undefined,
    loss: (['nothing', 'posix', 'ordered'] as const)[randomInteger(random, 0, 2)] ?? 'nothing',
  }
}

function inPeace(random: Random): LifePlan {
  const seed = Math.floor(random.next() * 2 ** 31)
  return {
    seed,
    isCloned: seed % 5 < 2,
    parallelism: randomInteger(random, 1, 3),
    nextBackend: random.next() < 0.3 ? 'leveldb' : 'hashmap',
    claimMode: random.next() < 0.3 ? 'CLAIM' : 'NO_CLAIM',
    resumes: random.next() < 0.5,
    throwRate: 0,
    commitFailRate: 0,
    restarts: 1000,
    ending: undefined,
    killAfterMs: undefined,
    loss: 'nothing',
    pauseMs: randomInteger(random, 2, 8),
  }
}
