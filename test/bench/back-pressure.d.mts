/** The types of what the test of `back-pressure.mjs` uses. */
import type { StreamExecutionEnvironment } from '../../src/index.ts'

export function declareBackPressure(
  env: StreamExecutionEnvironment,
  options: {
    readonly records: number
    readonly keys: number
    readonly parallelism: number
    readonly sleeps: 'promise' | 'block'
    readonly sleepMs: number
    readonly counted: { emitted: number }
  },
  checkpointing: {
    readonly mode: string
    readonly intervalMs: number
    readonly alignedTimeoutMs: number
    readonly channelCredit?: number | undefined
  },
): { checksum(): string }
