/**
 * The job of the simulation and what must come out of it: files of keyed lines, a count and a hash chain per key, exactly
 * once into files. The oracle folds the same lines one after the other.
 */
import { KeyedProcessFunction } from '../../src/api/functions.ts'
import { StreamExecutionEnvironment } from '../../src/api/stream-execution-environment.ts'
import type { Configuration } from '../../src/base/config/options.ts'
import { StreamError } from '../../src/base/errors.ts'
import { SimulatedDisk } from '../../src/base/simulated-disk.ts'
import { SimulatedFileSystem } from '../../src/base/simulated-file-system.ts'
import { FileSink } from '../../src/connectors/file-sink/file-sink.ts'
import { FileSource } from '../../src/connectors/file-source/file-source.ts'
import type { Collector, KeyedContext, RuntimeContext } from '../../src/operators/functions.ts'
import { WatermarkStrategy } from '../../src/operators/watermark-strategy.ts'
import { startJob } from '../../src/runtime/execute.ts'
import type { JobEvent } from '../../src/runtime/job-handle.ts'
import { clonedLink } from '../../src/runtime/link.ts'
import { type ValueState, ValueStateDescriptor } from '../../src/state/descriptors.ts'
import type { SimulatedWorld } from './simulated-world.ts'

export const JOB_NAME = 'kill test'
export const OUTPUT = '/data/out'
export const CHECKPOINTS = '/data/checkpoints'
/** Where state on disk works. */
export const SCRATCH = '/data/scratch'
const INPUT = '/data/in'

export interface JobSettings {
  readonly parallelism: number
  readonly maxParallelism?: number | undefined
  readonly link: 'direct' | 'cloned'
  /** Of an output file. */
  readonly rollAtBytes?: number | undefined
  readonly options: Configuration
  /** Called for each record in the keyed function; a throw fails it. */
  readonly onRecord?: ((line: Line) => void) | undefined
}

export interface Line {
  readonly key: string
  readonly value: number
}

export interface RunOptions {
  readonly resume: 'latest' | undefined
  readonly takeover?: boolean | undefined
  /** Of virtual time, from the start of the job. */
  readonly suspendAfterMs?: number | undefined
  watch(event: JobEvent): void
}

/** What came of one run of the job. */
export type JobEnd = { readonly type: 'finished' } | { readonly type: 'alreadyEnded' }

/** Starts the job, from where it was if it has run before, and waits for its end. Without `resume` it starts anew. */
export async function runJob(
  world: SimulatedWorld,
  settings: JobSettings,
  { resume, takeover, suspendAfterMs, watch }: RunOptions,
): Promise<JobEnd> {
  const { parallelism, maxParallelism, link, options, rollAtBytes, onRecord = () => {} } = settings
  let end: JobEnd = { type: 'finished' }
  const env = new StreamExecutionEnvironment({
    ports: () => world.ports,
    layers: [],
    run: undefined,
    start: async (graph, given) => {
      const started = await startJob(graph, {
        ...given,
        link: link === 'cloned' ? clonedLink(world.ports.turns) : undefined,
        // Virtual time stands still during a turn.
        turnLimits: { turnMs: 8, turnMsWithControlWork: 2, backgroundMs: 2, stepsPerTurn: 1 },
      })
      if (started.type === 'alreadyEnded') end = { type: 'alreadyEnded' }
      else {
        const { handle } = started
        handle.subscribe((event) => {
          world.note(describeEvent(event))
          watch(event)
        })
        if (suspendAfterMs !== undefined) world.clock.setTimer(suspendAfterMs, () => void handle.suspend())
      }
      return started
    },
  })
  env.setParallelism(parallelism).configure({ 'execution.checkpointing.dir': CHECKPOINTS, ...options })
  if (maxParallelism !== undefined) env.setMaxParallelism(maxParallelism)
  env
    .fromSource(FileSource.forLines(`${INPUT}/*.txt`), WatermarkStrategy.noWatermarks(), 'lines')
    .map(parseLine)
    .keyBy(({ key }) => key)
    .process((context) => new Chain(context, onRecord))
    .uid('chain')
    .sinkTo(FileSink.forLines(OUTPUT, { rolling: { maxPartSize: rollAtBytes } }))
    .uid('sink')
  await env.execute(JOB_NAME, { resume, takeover })
  return end
}

function describeEvent(event: JobEvent): string {
  const { type, atMs: _, ...rest } = event
  const { error, ...plain } = rest as Record<string, unknown>
  return `event ${type} ${JSON.stringify(plain)} ${error === undefined ? '' : String(error)}`
}

interface Link {
  readonly count: number
  readonly hash: number
}

class Chain extends KeyedProcessFunction<string, Line, string> {
  readonly #state: ValueState<Link>
  readonly #onRecord: (line: Line) => void

  constructor(context: RuntimeContext, onRecord: (line: Line) => void) {
    super()
    this.#state = context.getState(new ValueStateDescriptor<Link>('chain'))
    this.#onRecord = onRecord
  }

  processElement(line: Line, _context: KeyedContext<string>, out: Collector<string>): undefined {
    this.#onRecord(line)
    const next = follow(this.#state.value(), line)
    this.#state.update(next)
    out.collect(outputLine(line.key, next))
  }
}

function follow(last: Link | undefined, { value }: Line): Link {
  const { count, hash } = last ?? { count: 0, hash: 17 }
  return { count: count + 1, hash: (Math.imul(hash, 31) + value) | 0 }
}

function outputLine(key: string, { count, hash }: Link): string {
  return `${key} ${count} ${hash}`
}

function parseLine(text: string): Line {
  const [key, value] = text.split(' ')
  if (key === undefined || value === undefined)
    throw new StreamError('RECORD_INVALID', { message: `not a line of the simulation: ${text}` })
  return { key, value: Number(value) }
}

/** Each key stands in one file, so that the order of its lines is fixed. */
export class Input {
  readonly #files: readonly (readonly Line[])[]

  constructor({ files, keysPerFile, linesPerFile }: { files: number; keysPerFile: number; linesPerFile: number }) {
    this.#files = Array.from({ length: files }, (_, file) =>
      Array.from({ length: linesPerFile }, (_, line) => ({
        key: `f${file}k${(line * 7) % keysPerFile}`,
        value: file * 1000 + line,
      })),
    )
  }

  /** Lines in all. */
  get length(): number {
    return this.#files.reduce((sum, lines) => sum + lines.length, 0)
  }

  /** A disk with the input on it, durable, and nothing else. */
  async disk(): Promise<SimulatedDisk> {
    const files = new SimulatedFileSystem({ disk: new SimulatedDisk(), turns: { next: (turn) => turn() } })
    await files.execute([{ type: 'makeFolder', path: INPUT }])
    for (const [index, lines] of this.#files.entries()) {
      const text = lines.map(({ key, value }) => `${key} ${value}\n`).join('')
      await files.execute([{ type: 'writeNew', path: `${INPUT}/in-${index}.txt`, bytes: Buffer.from(text) }])
    }
    await files.execute([{ type: 'syncFolder', path: INPUT }])
    return files.disk
  }

  /** The lines of each key that must come out, in order. */
  expected(): ReadonlyMap<string, readonly string[]> {
    const chains = new Map<string, Link>()
    const expected = new Map<string, string[]>()
    for (const line of this.#files.flat()) {
      const { key } = line
      const next = follow(chains.get(key), line)
      chains.set(key, next)
      const lines = expected.get(key) ?? []
      lines.push(outputLine(key, next))
      expected.set(key, lines)
    }
    return expected
  }
}
