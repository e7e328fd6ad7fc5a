/** Real processes for the tests of this folder: the built command, the chain job, programs of this repository. Decides nothing. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll } from 'vitest'

export const root = fileURLToPath(new URL('../..', import.meta.url))
const COMMAND = join(root, 'dist/src/cli/main.js')
export const CHAIN_JOB = join(root, 'test/e2e/programs/chain-job.mjs')

export interface Ended {
  /** null: by a signal. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface TracedLine {
  readonly type: string
  /** Since the start of the process. */
  readonly atMs: number
  readonly checkpointId?: number
}

export interface Running {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
  /** What the process traced so far (programs/trace.mjs). */
  readonly lines: readonly TracedLine[]
  /** Resolves at the n-th line of this type; rejects when the process ends before. */
  line(type: string, n?: number): Promise<void>
}

export interface SpawnOptions {
  readonly cwd?: string | undefined
  readonly env?: Readonly<Record<string, string>> | undefined
}

/** What a failed test has left behind. */
const alive = new Set<ChildProcess>()

/** A folder for the files of one test file, gone after its tests; and the check that there is something to test. */
export function workFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-e2e-'))
  beforeAll(() => {
    if (!existsSync(COMMAND))
      throw new Error(`${COMMAND} is missing: these tests run the built package ("npm run build")`)
  })
  afterAll(() => {
    for (const child of alive) child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

export function start(file: string, args: readonly string[], { cwd, env }: SpawnOptions = {}): Running {
  const child = spawn(process.execPath, [file, ...args], {
    cwd: cwd ?? root,
    env: { ...process.env, MILLRACE_TRACE: '1', MILLRACE_KILL_AT: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  alive.add(child)
  const lines: TracedLine[] = []
  const waiting = new Set<{ readonly type: string; left: number; resolve(): void; reject(error: Error): void }>()
  createInterface({ input: child.stdio[3] as Readable }).on('line', (text) => {
    const line = JSON.parse(text) as TracedLine
    lines.push(line)
    for (const waiter of waiting) if (waiter.type === line.type && --waiter.left === 0) waiter.resolve()
  })
  const stdout = textOf(child.stdout as Readable)
  const stderr = textOf(child.stderr as Readable)
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      alive.delete(child)
      const end = { code, signal, stdout: stdout(), stderr: stderr() }
      for (const waiter of waiting)
        waiter.reject(new Error(`the process ended (${code ?? signal}) before ${waiter.type}:\n${end.stderr}`))
      resolve(end)
    })
  })
  return {
    process: child,
    ended,
    lines,
    line(type, n = 1) {
      const left = n - lines.filter((line) => line.type === type).length
      if (left <= 0) return Promise.resolve()
      return new Promise((resolve, reject) => waiting.add({ type, left, resolve, reject }))
    },
  }
}

/** `millrace` with these arguments. */
export function startMillrace(args: readonly string[], options?: SpawnOptions): Running {
  return start(COMMAND, args, options)
}

export function millrace(args: readonly string[], options?: SpawnOptions): Promise<Ended> {
  return startMillrace(args, options).ended
}

/** What the verifier says about an output: see verify.mjs. */
export async function verdictOn(of: { readonly seed: number; readonly records: number; readonly output: string }) {
  const verifier = join(root, 'test/e2e/verify.mjs')
  const { stdout } = await start(verifier, [
    '--seed',
    String(of.seed),
    '--records',
    String(of.records),
    '--output',
    of.output,
  ]).ended
  return JSON.parse(stdout) as { readonly exact: boolean; readonly read: number; readonly examples: readonly string[] }
}

/** Arguments of `millrace run` for the chain job. */
export function chainJob(of: {
  readonly folder: string
  readonly records: number
  readonly rate: number
  readonly flags?: readonly string[]
  readonly sink?: 'file' | 'ledger' | undefined
  readonly intervalMs?: number | undefined
  /** State up to this size stands in the metadata; 0: in files. */
  readonly inlineBytes?: number | undefined
}): readonly string[] {
  return [
    'run',
    '--no-rest',
    ...(of.flags ?? []),
    ...[
      '-p',
      '2',
      '-D',
      `execution.checkpointing.interval=${of.intervalMs ?? 50} ms`,
      '-D',
      `execution.checkpointing.dir=${of.folder}/checkpoints`,
    ],
    ...['-D', `execution.checkpointing.data-inline-threshold=${of.inlineBytes ?? 20_000} b`],
    CHAIN_JOB,
    ...['--seed', '1', '--records', String(of.records), '--rate', String(of.rate)],
    ...['--output', `${of.folder}/output`, '--sink', of.sink ?? 'file'],
  ]
}

function textOf(stream: Readable): () => string {
  let text = ''
  stream.setEncoding('utf8').on('data', (more: string) => {
    text += more
  })
  return () => text
}
