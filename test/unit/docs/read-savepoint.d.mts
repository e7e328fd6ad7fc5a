/** The types of what `read-savepoint.mjs` gives. */
export interface SavepointTable {
  readonly kind: string
  readonly name: string
  readonly serializers: readonly { readonly id: string; readonly version: number }[]
  readonly entries: readonly { readonly key: unknown; readonly keyGroup: number; readonly value: unknown }[]
}

export interface SavepointList {
  readonly name: string
  readonly mode: string
  readonly elements: readonly unknown[]
}

export interface SavepointOperator {
  readonly operatorId: string
  readonly uid?: string
  readonly name: string
  readonly parallelism: number
  readonly coordinator?: { readonly serializer: { readonly id: string }; readonly bytes: Uint8Array }
  readonly subtasks: readonly {
    readonly index: number
    readonly finished: boolean
    readonly keyed?: readonly SavepointTable[]
    readonly operator?: readonly SavepointList[]
  }[]
}

export function readSavepoint(folder: string): {
  readonly jobName: string
  readonly checkpointId: number
  readonly kind: string
  readonly operators: readonly SavepointOperator[]
}
