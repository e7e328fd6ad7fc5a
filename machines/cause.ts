/** Why something failed, as plain data: what a fact or an order carries in place of the thrown object. */
export interface Cause {
  /** A code of the one error table. */
  readonly code: string
  readonly message: string
  /** Whether running again from the last checkpoint can succeed. */
  readonly restartHelps: boolean
  /** The number under which the thread that made this cause keeps the thrown object; null where there is none. */
  readonly thrown: number | null
  /** The operator in whose code or state it was thrown, where that is known. */
  readonly operator?: string | undefined
}
