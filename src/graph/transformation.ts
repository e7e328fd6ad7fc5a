/**
 * What a program records, one node a call: operators, and virtual nodes that only say how records reach the next
 * operator. Plain data and closures; no rule stands here.
 */
import type { Serializer } from '../elements/serializer.ts'
import type { OperatorFactory } from '../operators/operator.ts'
import type { Source } from '../operators/source.ts'
import type { Partitioner } from './job-graph.ts'

export type Transformation =
  | OperatorTransformation
  | PartitionTransformation
  | SideOutputTransformation
  | UnionTransformation

export interface OperatorTransformation {
  readonly kind: 'operator'
  /** Decides the prefix of the name and whether there are inputs. */
  readonly role: 'source' | 'operator' | 'sink'
  /** One entry an input of the operator; none for a source. */
  readonly inputs: readonly Transformation[]
  /** Asked once, when the graph is built: only then is the configuration complete. */
  readonly factory: (options: GraphOptions) => OperatorFactory
  readonly source?: Source<unknown> | undefined
  /** Its inputs, but for a broadcast one, are partitioned by key. */
  readonly keyed: boolean
  /** A sink that shows what it wrote with a checkpoint, or where the input ends. */
  readonly commits?: boolean | undefined
  /** What a sink shares with every other that writes to the same. */
  readonly writesTo?: unknown
  /** What the setters of a stream change until the graph is built. */
  readonly settings: OperatorSettings
}

export interface OperatorSettings {
  name: string
  uid: string | undefined
  parallelism: number
  /** Undefined: of the environment, else by Flink's formula. */
  maxParallelism: number | undefined
  /** `head`: starts a chain; `never`: stands alone. */
  chaining: 'always' | 'head' | 'never'
  /** Of the main output. Undefined: the default serializer. */
  serializer: Serializer<unknown> | undefined
}

/** How the records of `input` are dealt out. The one nearest to the consumer counts. */
interface PartitionTransformation {
  readonly kind: 'partition'
  readonly input: Transformation
  readonly partitioner: Partitioner
}

interface SideOutputTransformation {
  readonly kind: 'sideOutput'
  readonly input: OperatorTransformation
  readonly tag: string
}

export interface UnionTransformation {
  readonly kind: 'union'
  readonly inputs: readonly Transformation[]
}

/** What the configuration says about the graph. */
export interface GraphOptions {
  /** `pipeline.operator-chaining.enabled` */
  readonly chaining: boolean
  /** `pipeline.max-parallelism`; undefined: by Flink's formula. */
  readonly maxParallelism: number | undefined
  /** `pipeline.auto-watermark-interval`, in ms. */
  readonly autoWatermarkIntervalMs: number
}
