/** A stream connected with a broadcast one. */
import type { Transformation } from '../graph/transformation.ts'
import { broadcastProcessOperator } from '../operators/broadcast-process.ts'
import type { BroadcastProcessFunction, RuntimeContext } from '../operators/functions.ts'
import type { BroadcastStream } from './broadcast-stream.ts'
import { requireFactory } from './operator-settings.ts'
import type { SingleOutputStreamOperator } from './single-output-stream-operator.ts'
import type { StreamRecorder } from './stream-recorder.ts'

/** A stream connected with a broadcast one. */
export class BroadcastConnectedStream<out A, out B> {
  protected readonly recorder: StreamRecorder
  protected readonly first: Transformation
  protected readonly broadcast: BroadcastStream<B>

  /** Comes from `stream.connect(broadcast)`; a program makes none itself. */
  constructor(recorder: StreamRecorder, first: Transformation, broadcast: BroadcastStream<B>) {
    this.recorder = recorder
    this.first = first
    this.broadcast = broadcast
  }

  /** `create` is called once per parallel subtask and attempt, after the subtask's state was restored. */
  process<R = never>(
    create: (context: RuntimeContext) => BroadcastProcessFunction<A, B, R>,
  ): SingleOutputStreamOperator<R> {
    requireFactory(create)
    const { transformation, descriptors } = this.broadcast
    return this.recorder.operator<R>({
      name: 'Broadcast Process',
      inputs: [this.first, transformation],
      factory: () => broadcastProcessOperator(create, descriptors),
    })
  }
}
