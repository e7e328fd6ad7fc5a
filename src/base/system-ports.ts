/** The ports of a real process. */
import { systemClock } from './clock.ts'
import { systemIds } from './ids.ts'
import { systemLocks } from './locks.ts'
import { silentLogger } from './logger.ts'
import { nodeFileSystem } from './node-file-system.ts'
import type { Ports } from './ports.ts'
import { systemRandom } from './random.ts'
import { eventLoopTurns } from './turns.ts'

/** Every port, real unless it is overridden. Each call has a disk thread of its own, started when it is first needed. */
export function systemPorts(overrides: Partial<Ports> = {}): Ports {
  return {
    clock: systemClock(),
    turns: eventLoopTurns(),
    random: systemRandom(),
    ids: systemIds(),
    files: nodeFileSystem(),
    locks: systemLocks(),
    logger: silentLogger,
    ...overrides,
  }
}
