/** The types of what the test of `cost.mjs` uses. */
export interface Run {
  /** Seconds: by the clock, and of the busiest thread. */
  readonly wall: number
  readonly thread: number
  /** Cores that other programs used. */
  readonly foreign: number
  readonly checksum: string
}

interface Speeds {
  readonly recordsPerSecond: number
}

interface Ratios extends Speeds {
  readonly speedRatio: number
  readonly speedRatioOfPairs: readonly number[]
  readonly busiestThreadRatio: number
}

export function idleCost(
  rounds: readonly { readonly without: Run; readonly idle: Run }[],
  expected: { readonly records: number; readonly checksum: string },
): { readonly without: Speeds; readonly idle: Ratios }

export function scrapedCost(
  run: {
    readonly checksum: string
    readonly windows: readonly { readonly rate: number; readonly scrapeMs?: number | undefined }[]
  },
  checksum: string,
): {
  readonly seconds: number
  readonly speedRatioOfPairsMedian: number
  readonly speedRatioOfPairsQuartiles: readonly number[]
  readonly scrapeMsMedian: number
  readonly scrapeMsWorst: number
}
