/** Types of classify.mjs, which scripts import as it is. */
export type KillClass =
  | 'beforeFirstCheckpoint'
  | 'insideCheckpoint'
  | 'betweenPublishAndCommit'
  | 'insideRecovery'
  | 'insideCleanUp'
  | 'other'
export declare const CLASSES: readonly KillClass[]
export interface TracedLine {
  readonly type: string
  readonly checkpointId?: number
  readonly count?: number
  readonly task?: string
}
export declare function classify(evidence: {
  readonly lines: readonly TracedLine[]
  readonly resumed: boolean
  readonly published: readonly number[]
  readonly cleanedUp: boolean
}): { readonly place: KillClass; readonly afterCheckpoint: boolean; readonly detail: string }
export declare function hasRun(lines: readonly TracedLine[]): boolean
