/** Files that grow, for tests of whole jobs: written at once, on the disk of a world. */
import { FileSource, type FileSourceOptions, WatermarkStrategy } from '../../src/index.ts'
import type { World } from './harness.ts'
import type { Ledger } from './parts.ts'

export const EVERY_MS = 100

export interface Following {
  readonly paths?: string
  readonly options?: FileSourceOptions
  readonly parallelism?: number
  /** Called for each line in a map behind the source. */
  readonly onLine?: (line: string) => void
}

/** A job that follows files into a ledger, with checkpoints on the disk. */
export function follow(world: World, sink: Ledger<string>, given: Following = {}) {
  const { paths = '/in', options, parallelism = 1, onLine = () => {} } = given
  const env = world.env().setParallelism(parallelism)
  env.enableCheckpointing(1000).getCheckpointConfig().setCheckpointStorage('/checkpoints')
  env
    .fromSource(
      FileSource.forLines(paths, { monitorContinuously: EVERY_MS, ...options }),
      WatermarkStrategy.noWatermarks(),
      'files',
    )
    .map((line) => {
      onLine(line)
      return line
    })
    .sinkTo(sink)
  return env
}

export class Disk {
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  /** Makes the file where there is none. */
  append(path: string, text: string | Uint8Array): void {
    const { disk } = this.#world.files
    const names = path.split('/').slice(1, -1)
    for (let depth = 1; depth <= names.length; depth++) disk.makeFolder(`/${names.slice(0, depth).join('/')}`)
    const file = disk.find(path) === undefined ? disk.createFile(path) : disk.file(path)
    disk.append(file, typeof text === 'string' ? Buffer.from(text) : text)
  }

  rename(from: string, to: string): void {
    this.#world.files.disk.rename(from, to)
  }

  remove(path: string): void {
    this.#world.files.disk.unlink(path)
  }

  truncate(path: string, length: number): void {
    this.#world.files.disk.file(path).length = length
  }

  folder(path: string): void {
    this.#world.files.disk.makeFolder(path)
  }
}
