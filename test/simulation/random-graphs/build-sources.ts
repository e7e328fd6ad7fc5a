/** Makes the sources of a plan through the public door, and lays out the files that some of them read. */
import type { Clock } from '../../../src/base/clock.ts'
import { SimulatedDisk } from '../../../src/base/simulated-disk.ts'
import {
  DataGeneratorSource,
  type DataStream,
  defineSource,
  FileSource,
  type SingleOutputStreamOperator,
  type StreamExecutionEnvironment,
  WatermarkStrategy,
} from '../../../src/index.ts'
import type { SourcePlan } from './plan.ts'
import { type Row, text } from './records.ts'
import { boundMs, rowsOf } from './source-rows.ts'
import type { Trouble } from './trouble.ts'

export interface Surroundings {
  readonly trouble: Trouble
  readonly clock: Clock
  /** Sets what every operator of a plan is given: uid, parallelism. */
  settle<T>(operator: SingleOutputStreamOperator<T>, name: string): SingleOutputStreamOperator<T>
}

const FIELDS = ['id', 's', 'q', 'k', 'v', 't'] as const
export const folder = ({ index }: SourcePlan) => `/data/in-${index}`

export function buildSource(
  env: StreamExecutionEnvironment,
  source: SourcePlan,
  around: Surroundings,
): DataStream<Row> {
  const { kind } = source
  const name = `source ${source.index} (${kind})`
  const { trouble, settle } = around
  const seen = <T>(value: T): T => {
    trouble.call(`source ${kind}`)
    return value
  }
  const strategy = WatermarkStrategy.forBoundedOutOfOrderness<Row>(boundMs(source), { timestampAssigner: ({ t }) => t })
  const none = <T>() => WatermarkStrategy.noWatermarks<T>()
  switch (kind) {
    case 'data':
      return settle(env.fromData(rowsOf(source, 0)), name)
    case 'sequence': {
      const rows = rowsOf(source, 0)
      const numbers = settle(env.fromSequence(0, rows.length - 1), name)
      return settle(
        numbers.map((index) => seen(rows[index] as Row)),
        `${name} rows`,
      )
    }
    case 'splits':
      return settle(
        env.fromSource(
          splitSource(source, around),
          WatermarkStrategy.forBoundedOutOfOrderness<Row>(boundMs(source)),
          name,
        ),
        name,
      )
    case 'generator': {
      const rows = rowsOf(source, 0)
      const ratePerSecond = source.paceMs === 0 ? undefined : 1000 / source.paceMs
      const generated = new DataGeneratorSource((index) => seen(rows[index] as Row), {
        count: rows.length,
        ratePerSecond,
      })
      return settle(env.fromSource(generated, strategy, name), name)
    }
    case 'lines': {
      const lines = settle(env.fromSource(FileSource.forLines(folder(source), { splitSize: 200 }), none(), name), name)
      return settle(
        lines.map((line) => rowOf(seen(line).split(' '))),
        `${name} rows`,
      )
    }
    case 'followed': {
      const followed = FileSource.forLines(folder(source), { monitorContinuously: 5, closeAfter: 40 })
      const lines = settle(env.fromSource(followed, none(), name), name)
      return settle(
        lines.map((line) => rowOf(seen(line).split(' '))),
        `${name} rows`,
      )
    }
    case 'json': {
      const files = FileSource.forJsonLines(folder(source), { schema: (value: unknown) => value as Row })
      return settle(env.fromSource(files, strategy, name), name)
    }
    case 'csv': {
      const schema = (value: unknown) =>
        rowOf(FIELDS.map((field) => (value as Readonly<Record<string, string>>)[field] ?? ''))
      return settle(env.fromSource(FileSource.forCsv(folder(source), { schema }), strategy, name), name)
    }
  }
}

function splitSource(source: SourcePlan, { trouble, clock }: Surroundings) {
  const splits = new Map(source.splits.map((_, split) => [`split ${split}`, rowsOf(source, split)]))
  return defineSource<Row, number>({
    boundedness: 'bounded',
    splits: () => [...splits.keys()],
    start: () => 0,
    async *read(split, position) {
      const further = trouble.sabotage === 'source one too far' ? 2 : trouble.sabotage === 'source one too near' ? 0 : 1
      trouble.tally.add('restored: rows that a source did not read again', position)
      for (const [index, value] of (splits.get(split) ?? []).entries()) {
        if (index < position) continue
        trouble.call('source splits')
        if (source.paceMs > 0) await new Promise<void>((settle) => void clock.setTimer(source.paceMs, settle))
        yield { value, position: index + further, timestamp: value.t }
      }
    },
  })
}

function rowOf(fields: readonly string[]): Row {
  const [id, s, q, k, v, t] = fields.map(Number) as [number, number, number, number, number, number]
  return { id, s, q, k, v, t }
}

/** A disk with the files of the sources on it, durable. */
export function diskWith(sources: readonly SourcePlan[]): SimulatedDisk {
  const disk = new SimulatedDisk()
  disk.makeFolder('/data')
  disk.syncFolder('/')
  for (const source of sources) {
    const { kind } = source
    if (kind !== 'lines' && kind !== 'json' && kind !== 'csv' && kind !== 'followed') continue
    disk.makeFolder(folder(source))
    disk.syncFolder('/data')
    if (kind === 'followed') continue
    for (const split of source.splits.keys()) {
      const rows = rowsOf(source, split)
      const lines =
        kind === 'lines' ? rows.map(text) : kind === 'json' ? rows.map((row) => JSON.stringify(row)) : csvOf(rows)
      const file = disk.createFile(`${folder(source)}/file-${split}`)
      disk.append(file, Buffer.from(lines.map((line) => `${line}\n`).join('')))
      disk.syncFile(file)
    }
    disk.syncFolder(folder(source))
  }
  return disk
}

function csvOf(rows: readonly Row[]): string[] {
  return [FIELDS.join(','), ...rows.map((row) => FIELDS.map((field) => row[field]).join(','))]
}
