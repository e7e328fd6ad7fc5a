/** Sources that give something else. Each sentence says what is wrong; the line below it must not compile. */
import {
  DiscardingSink,
  defineSource,
  FileSource,
  StreamExecutionEnvironment,
  WatermarkStrategy,
} from '../../../src/index.ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const strategy = WatermarkStrategy.noWatermarks()

const parts = { boundedness: 'bounded', splits: () => ['a'] } as const

export function defined(): void {
  // @ts-expect-error boundedness: there is no such one
  defineSource({ boundedness: 'unbounded', splits: () => ['a'], start: () => 0, read: readNumbers })
  // @ts-expect-error splits: an id is a text
  defineSource({ boundedness: 'bounded', splits: () => [1], start: () => 0, read: readNumbers })
  // @ts-expect-error read: a record without a position cannot be read on from
  defineSource({ ...parts, start: () => 0, read: readBareValues })
  // @ts-expect-error read: an array is no asynchronous iterable
  defineSource({ ...parts, start: () => 0, read: () => [{ value: 1, position: 1 }] })
  // @ts-expect-error read: without start, the position of a fresh split is undefined
  defineSource({ ...parts, read: readNumbers })
  // @ts-expect-error start: positions of another type
  defineSource({ ...parts, start: () => 'a', read: readNumbers })
  // @ts-expect-error discoverEvery: a misspelt unit
  defineSource({ ...parts, start: () => 0, read: readNumbers, discoverEvery: '10 sconds' })
  // @ts-expect-error splits: a source without splits reads nothing
  defineSource({ boundedness: 'bounded', start: () => 0, read: readNumbers })
}

async function* readNumbers(_split: string, position: number) {
  yield { value: position, position: position + 1 }
}

async function* readBareValues() {
  yield { value: 1 }
}

export function files(): void {
  const flights = env.fromSource(FileSource.forCsv('in', { columns: ['delay'] }), strategy, 'in')
  // @ts-expect-error forCsv: fields are texts
  flights.map((flight) => flight.delay.toFixed())
  // @ts-expect-error forCsv: only the columns that were named are there
  flights.map((flight) => flight.origin)
  // @ts-expect-error forJsonLines: without a schema, nothing is known of a value
  env.fromSource(FileSource.forJsonLines('in'), strategy, 'in').map((flight) => flight.delay)
  // @ts-expect-error schema: a function or a schema, not an example
  FileSource.forJsonLines('in', { schema: { delay: 0 } })
  // @ts-expect-error schema: nobody waits for a record
  FileSource.forJsonLines('in', { schema: async (value) => String(value) })
  const texts = env.fromSource(FileSource.forJsonLines('in', { schema: String }), strategy, 'in')
  // @ts-expect-error schema: gives the type of the stream
  texts.map((text) => text.toFixed())
  // @ts-expect-error onInvalid: there is no such choice
  FileSource.forJsonLines('in', { onInvalid: 'ignore' })
  // @ts-expect-error monitorContinuously: a misspelt unit
  FileSource.forLines('in', { monitorContinuously: '10 sconds' })
  // @ts-expect-error forLines: a path is needed
  FileSource.forLines()
}

export function noSources(): void {
  // @ts-expect-error fromSource: a sink is no source
  env.fromSource(new DiscardingSink(), strategy, 'in')
  // @ts-expect-error fromSource: a path is no source: FileSource.forLines(path)
  env.fromSource('in', strategy, 'in')
}
