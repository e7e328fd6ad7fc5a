/** The process port: what the process and its machine say of themselves, for those who watch it. Read where somebody asks. */
export interface ProcessFacts {
  readonly pid: number
  readonly host: string
  /** `v20.20.0` */
  readonly nodeVersion: string
  readonly architecture: string
  /** Options of node itself, values of secrets as `******`; without the arguments of the job. */
  readonly options: readonly string[]
  memory(): MemoryFacts
  cpu(): CpuFacts
  /** Since the call before, of this reader; nulls where nothing was measured. */
  eventLoop(): EventLoopFacts
  /** Since it was measured first, by kind of collection; a kind that did not happen is left out. */
  garbageCollection(): readonly { readonly name: string; readonly count: number; readonly timeMs: number }[]
  /** What the process keeps open, by kind: `Timeout`, `TCPSocketWrap`. */
  activeResources(): readonly string[]
  /** Of the operating system; null where it does not tell. */
  threads(): number | null
  fileDescriptors(): { readonly open: number; readonly max: number } | null
  /** Nothing is measured any more. Harmless when it is closed. */
  close(): void
}

export interface MemoryFacts {
  readonly heapUsedBytes: number
  readonly heapTotalBytes: number
  readonly heapLimitBytes: number
  readonly externalBytes: number
  readonly arrayBuffersBytes: number
  readonly residentBytes: number
  readonly machineTotalBytes: number
  readonly machineFreeBytes: number
}

export interface CpuFacts {
  readonly cores: number
  /** Of the process, user and system, since its start. */
  readonly usedMs: number
}

export interface EventLoopFacts {
  /** How late timers came; null: none came since the call before. */
  readonly delayMeanMs: number | null
  readonly delayP99Ms: number | null
  readonly delayMaxMs: number | null
  /** 0 to 1. */
  readonly utilization: number
}
