/** The types of what the test of `cost.mjs` uses. */
export type Variant = 'without' | 'idle' | 'scraped'

export interface Run {
  /** Seconds: by the clock, and of the busiest thread. */
  readonly wall: number
  readonly thread: number
  /** Cores that other programs used. */
  readonly foreign: number
  readonly checksum: string
  readonly scrapes?:
    | {
        readonly answered: number
        readonly prometheusMs: readonly number[]
        readonly pageMs: readonly number[]
        readonly cpu: number
      }
    | undefined
}

interface Speeds {
  readonly recordsPerSecond: number
  readonly busiestThreadSeconds: number
}

interface Ratios extends Speeds {
  readonly speedRatio: number
  readonly speedRatioOfPairs: readonly number[]
  readonly speedRatioOfPairsMedian: number
  readonly busiestThreadRatio: number
}

interface Answers extends Ratios {
  readonly answered: number
  readonly scrapesAll: readonly number[]
  readonly prometheusMsMedian: number
  readonly prometheusMsWorst: number
  readonly pageMsWorst: number
}

export function restCost(
  rounds: readonly Readonly<Record<Variant, Run>>[],
  expected: { readonly records: number; readonly checksum: string },
): { readonly checksum: string; readonly without: Speeds; readonly idle: Ratios; readonly scraped: Answers }
