/** Records what a program declares, and makes the stream objects that it goes on with. One per environment. */

import type { GraphOptions, OperatorTransformation, Transformation } from '../graph/transformation.ts'
import type { OperatorFactory } from '../operators/operator.ts'
import type { Source } from '../operators/source.ts'
import { ConnectedStreams } from './connected-streams.ts'
import { DataStream } from './data-stream.ts'
import { DataStreamSink } from './data-stream-sink.ts'
import { KeyedConnectedStreams } from './keyed-connected-streams.ts'
import { KeyedStream } from './keyed-stream.ts'
import { SingleOutputStreamOperator } from './single-output-stream-operator.ts'
import type { StreamExecutionEnvironment } from './stream-execution-environment.ts'

export interface OperatorDeclaration {
  readonly name: string
  readonly inputs: readonly Transformation[]
  readonly factory: (options: GraphOptions) => OperatorFactory
  readonly source?: Source<unknown> | undefined
  /** All its inputs, but for a broadcast one, are partitioned by key. */
  readonly keyed?: boolean | undefined
  /** A sink that shows what it wrote with a checkpoint, or where the input ends. */
  readonly commits?: boolean | undefined
  readonly writesTo?: unknown
}

export type JobEndListener = (...cause: readonly [cause?: unknown]) => void

export interface Recorded {
  readonly operators: readonly OperatorTransformation[]
  readonly listeners: readonly JobEndListener[]
}

export class StreamRecorder {
  #operators: OperatorTransformation[] = []
  #listeners: JobEndListener[] = []
  readonly #parallelism: () => number
  /** Runs everything that was declared: for a stream that starts the job itself. */
  readonly executeAsync: StreamExecutionEnvironment['executeAsync']

  /** `parallelism`: what the environment says at the moment in which an operator is declared. */
  constructor(parallelism: () => number, executeAsync: StreamExecutionEnvironment['executeAsync']) {
    this.#parallelism = parallelism
    this.executeAsync = executeAsync
  }

  source<T>(declaration: OperatorDeclaration): SingleOutputStreamOperator<T> {
    return new SingleOutputStreamOperator<T>(this, this.#record('source', declaration))
  }

  operator<R>(declaration: OperatorDeclaration): SingleOutputStreamOperator<R> {
    return new SingleOutputStreamOperator<R>(this, this.#record('operator', declaration))
  }

  sink<T>(declaration: OperatorDeclaration): DataStreamSink<T> {
    return new DataStreamSink<T>(this.#record('sink', declaration))
  }

  stream<T>(transformation: Transformation): DataStream<T> {
    return new DataStream<T>(this, transformation)
  }

  keyed<T, K>(input: Transformation, keySelector: (value: T) => K): KeyedStream<T, K> {
    return new KeyedStream<T, K>(this, byKey(input, keySelector), keySelector)
  }

  connected<A, B>(first: Transformation, second: Transformation): ConnectedStreams<A, B> {
    return new ConnectedStreams<A, B>(this, first, second)
  }

  keyedConnected<K, A, B>(
    first: Transformation,
    second: Transformation,
    firstSelector: (value: A) => K,
    secondSelector: (value: B) => K,
  ): KeyedConnectedStreams<K, A, B> {
    const inputs = [byKey(first, firstSelector), byKey(second, secondSelector)] as const
    return new KeyedConnectedStreams<K, A, B>(this, inputs, firstSelector, secondSelector)
  }

  /** Calls `listener` once when the job that is declared has ended; with what failed it, where it failed. */
  whenEnded(listener: JobEndListener): void {
    this.#listeners.push(listener)
  }

  /** Hands over what was recorded, in order of declaration, and is empty again. */
  take(): Recorded {
    const taken = { operators: this.#operators, listeners: this.#listeners }
    this.#operators = []
    this.#listeners = []
    return taken
  }

  #record(role: OperatorTransformation['role'], declaration: OperatorDeclaration): OperatorTransformation {
    const { name, inputs, factory, source, keyed = false, commits = false, writesTo } = declaration
    const operator: OperatorTransformation = {
      kind: 'operator',
      role,
      inputs,
      factory,
      source,
      keyed,
      commits,
      writesTo,
      settings: {
        name,
        uid: undefined,
        parallelism: this.#parallelism(),
        maxParallelism: undefined,
        chaining: 'always',
        serializer: undefined,
      },
    }
    this.#operators.push(operator)
    return operator
  }
}

function byKey<T, K>(input: Transformation, keySelector: (value: T) => K): Transformation {
  return { kind: 'partition', input, partitioner: { type: 'hash', keySelector } }
}
