/** The job of docs/guides/testing.md: an alarm for each sensor that has said nothing for a minute of event time. */
import {
  type Collector,
  type KeyedContext,
  KeyedProcessFunction,
  type OnTimerContext,
  type RuntimeContext,
  type Sink,
  type Source,
  type StreamExecutionEnvironment,
  type ValueState,
  ValueStateDescriptor,
  WatermarkStrategy,
} from 'millrace'

export interface Reading {
  readonly sensor: string
  readonly celsius: number
  readonly atMs: number
}

export class SilenceAlarm extends KeyedProcessFunction<string, Reading, string> {
  readonly #lastMs: ValueState<number>

  constructor(context: RuntimeContext) {
    super()
    this.#lastMs = context.getState(new ValueStateDescriptor<number>('last'))
  }

  processElement({ atMs }: Reading, context: KeyedContext<string>): undefined {
    const lastMs = this.#lastMs.value()
    if (lastMs !== undefined) context.timerService().deleteEventTimeTimer(lastMs + 60_000)
    this.#lastMs.update(atMs)
    context.timerService().registerEventTimeTimer(atMs + 60_000)
  }

  override onTimer(_timestamp: number, context: OnTimerContext<string>, out: Collector<string>): undefined {
    out.collect(`${context.getCurrentKey()} is silent since ${this.#lastMs.value()}`)
  }
}

export function alarms(env: StreamExecutionEnvironment, readings: Source<Reading>, sink: Sink<string>): void {
  const inOrder = WatermarkStrategy.forMonotonousTimestamps<Reading>({ timestampAssigner: ({ atMs }) => atMs })
  env
    .fromSource(readings, inOrder, 'readings')
    .uid('readings')
    .keyBy(({ sensor }) => sensor)
    .process((context) => new SilenceAlarm(context))
    .uid('alarms')
    .sinkTo(sink)
    .uid('sink')
}
