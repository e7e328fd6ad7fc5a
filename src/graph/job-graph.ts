/**
 * The graph that the runtime runs: vertices are chains of operators, edges are exchanges. Building it is deterministic
 * and has no effects; everything but the factories and selectors is plain data.
 */
import type { Serializer } from '../elements/serializer.ts'
import type { OperatorFactory } from '../operators/operator.ts'
import type { Source } from '../operators/source.ts'

export interface JobGraph {
  /** In topological order: an edge leads to a later vertex. */
  readonly vertices: readonly JobVertex[]
  readonly edges: readonly JobEdge[]
  /** Of everything but closures, so that two builds of one program can be compared: 64 hexadecimal digits. */
  readonly hash: string
}

/** A chain: one subtask runs all its operators by plain calls. */
export interface JobVertex {
  /** Of the head operator. */
  readonly id: string
  readonly name: string
  readonly parallelism: number
  readonly maxParallelism: number
  /** By the program or the configuration; else it was derived, and a restore takes the stored one. */
  readonly maxParallelismIsSet: boolean
  /** In topological order; the head first. */
  readonly operators: readonly ChainedOperator[]
  /** When the head makes records itself. */
  readonly source?: Source<unknown> | undefined
}

export interface ChainedOperator {
  /** 32 hexadecimal digits, from the uid or from the place in the graph. */
  readonly operatorId: string
  readonly uid?: string | undefined
  readonly name: string
  readonly create: OperatorFactory
  /** Behind a keyBy: it gets a keyed state backend. */
  readonly keyed: boolean
  /** Outside of the job. Operators with the same one restart together. Undefined: it is no sink. */
  readonly writesTo?: unknown
  /** Where its records go, in order of declaration. Nowhere is legal. */
  readonly outputs: readonly ChainOutput[]
}

export interface ChainOutput {
  /** An operator of the same chain, or an edge of the graph. */
  readonly to:
    | { readonly type: 'operator'; readonly index: number; readonly input: number }
    | { readonly type: 'edge'; readonly index: number }
  /** Undefined: the main output. */
  readonly sideOutput?: string | undefined
}

export interface JobEdge {
  readonly from: number
  readonly to: number
  /** Of the head operator of `to`. Several edges into one input are a union. */
  readonly input: number
  readonly partitioner: Partitioner
  /** Undefined: the default serializer. Used only where records leave the thread, or are kept with a checkpoint. */
  readonly serializer?: Serializer<unknown> | undefined
}

export type Partitioner =
  | { readonly type: 'forward' | 'rebalance' | 'rescale' | 'shuffle' | 'broadcast' | 'global' }
  | { readonly type: 'hash'; readonly keySelector: (value: never) => unknown }
  | { readonly type: 'custom'; readonly partition: (value: never, numPartitions: number) => number }
