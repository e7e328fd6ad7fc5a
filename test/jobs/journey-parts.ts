/**
 * A job with every kind of state, timers of both kinds and a two-phase sink, whose output depends neither on its parallelism
 * nor on where it was interrupted.
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  defineSource,
  FileSink,
  MapStateDescriptor,
  type StreamExecutionEnvironment,
  WatermarkStrategy,
} from '../../src/index.ts'
import { EVERY_MS, Keyed, type Line, Lists } from './journey-functions.ts'
import { type Gate, keyOf, SPLITS, type Tick } from './journey-gate.ts'

/** Declares it. What it gives lies in `output`. */
export function declareJourney(env: StreamExecutionEnvironment, gate: Gate, output: string): void {
  mkdirSync(output, { recursive: true })
  const limits = new MapStateDescriptor<string, string>('rules')
  const rules = env.fromSource(rulesSource(), WatermarkStrategy.noWatermarks(), 'rules').uid('rules')
  env
    .fromSource(ticksSource(gate), WatermarkStrategy.forMonotonousTimestamps<Tick>(), 'ticks')
    .uid('ticks')
    .keyBy(keyOf)
    .process<Line>((context) => new Keyed(context, gate))
    .uid('keyed')
    .rebalance()
    .connect(rules.broadcast(limits))
    .process<string>((context) => new Lists(context, gate, limits))
    .uid('lists')
    .sinkTo(FileSink.forJsonLines<string>(output))
    .uid('sink')
}

/** What is visible in `output`, sorted. */
export function linesIn(output: string): readonly string[] {
  return readdirSync(output)
    .filter((name) => name.startsWith('part-'))
    .flatMap((name) => readFileSync(join(output, name), 'utf8').split('\n').slice(0, -1))
    .map((line) => JSON.parse(line) as string)
    .toSorted()
}

function ticksSource(gate: Gate) {
  return defineSource<Tick, number>({
    boundedness: 'continuous-unbounded',
    splits: () => Array.from({ length: SPLITS }, (_, split) => `${split}`),
    start: () => 0,
    async *read(split, position, signal) {
      const stopped = aborted(signal)
      for (let n = position; ; n++) {
        while (n >= gate.limit && !signal.aborted) await Promise.race([gate.moved(), stopped])
        if (signal.aborted) return
        yield { value: { split, n }, position: n + 1, timestamp: n * EVERY_MS }
      }
    },
  })
}

/** One rule, and then no other. */
function rulesSource() {
  return defineSource<string, number>({
    boundedness: 'continuous-unbounded',
    splits: () => ['rules'],
    start: () => 0,
    async *read(_, position, signal) {
      if (position === 0) yield { value: 'loud', position: 1 }
      await aborted(signal)
    },
  })
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve())
  })
}
