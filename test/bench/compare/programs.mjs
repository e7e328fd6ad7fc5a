/** The programs that are compared: each runs a cell once in a process of its own and gives the JSON line that it prints. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { argumentsOf } from './cells.mjs'

const RUN = fileURLToPath(new URL('../run.mjs', import.meta.url))
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
/** As the script of the Flink programs finds it. */
const JAVA = 'java'
export const FLINK_FOLDER = join(ROOT, '..', 'shared', 'bench', 'flink')

/** @typedef {{ readonly name: string, runs(cell: object): boolean, run(cell: object): Promise<object> }} Program */

export const millrace = {
  name: 'Millrace',
  runs: () => true,
  run: (cell) => lineOf(process.execPath, [RUN, ...argumentsOf(cell), ...(cell.millrace ?? [])]),
}

/** No failure, no checkpoints: where those are the point, it only says what the checksum must be. */
export const plainLoop = {
  name: 'plain loop',
  runs: ({ figure }) => figure === undefined,
  run: (cell) => lineOf(process.execPath, [RUN, ...argumentsOf(cell), '--engine', 'plain']),
}

/** A control of the comparison itself: Millrace with one record fewer. */
export const wrongMillrace = {
  ...millrace,
  run: (cell) => millrace.run({ ...cell, records: cell.records - 1 }),
}

/** `programs`, or `skipped`: why there are none. */
export function flinkPrograms(folder = FLINK_FOLDER) {
  const script = join(folder, 'run.sh')
  if (!existsSync(script)) return { programs: [], skipped: `there are no Flink programs in ${folder}` }
  if (javaVersion() === undefined) return { programs: [], skipped: 'there is no JDK' }
  const build = [process.env.BUILD_DIR, join(folder, 'target'), join(tmpdir(), 'millrace-bench-flink')].find(
    (place) => place !== undefined && existsSync(join(place, 'classpath.txt')),
  )
  if (build === undefined)
    return {
      programs: [],
      skipped: `its programs are not built: BUILD_DIR=${join(tmpdir(), 'millrace-bench-flink')} ${script} S0 --records 1000`,
    }
  const flink = (name, more, runs) => ({
    name,
    runs,
    run: (cell) =>
      lineOf(script, [...argumentsOf(cell), ...(cell.flink ?? []), '--object-reuse', ...more], { BUILD_DIR: build }),
  })
  const onDisk = (backend) =>
    flink(`Flink, ${backend}`, ['--backend', backend], ({ flinkBackends }) => flinkBackends?.includes(backend) === true)
  return {
    programs: [
      flink('Flink', [], ({ flinkBackends }) => flinkBackends === undefined),
      flink('Flink, one thread', ['--reinterpret'], ({ flinkInOneThread }) => flinkInOneThread === true),
      onDisk('rocksdb'),
      onDisk('rocksdb-incremental'),
    ],
    skipped: undefined,
  }
}

export function javaVersion() {
  const { status, stderr } = spawnSync(JAVA, ['-version'], { encoding: 'utf8' })
  return status === 0 ? stderr.split('\n', 1)[0] : undefined
}

export function kernelVersion() {
  return process.platform === 'win32' ? 'Windows' : execFileSync('uname', ['-sr'], { encoding: 'utf8' }).trim()
}

/** The last line of standard output, parsed. Rejects with what the program wrote when it fails. */
function lineOf(command, args, environment = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    })
    let output = ''
    let errors = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      errors += text
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const line = output.trim().split('\n').at(-1) ?? ''
      // Some programs colour their standard output on the way.
      const start = line.indexOf('{')
      if (code === 0 && start >= 0) resolve(JSON.parse(line.slice(start)))
      else
        reject(new Error(`${command} ${args.join(' ')} ended with ${signal ?? code}:\n${errors.trim().slice(-2000)}`))
    })
  })
}
