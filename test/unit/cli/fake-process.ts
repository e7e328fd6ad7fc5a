/** A process and a job that tests drive: nothing of them is real. */

import { StreamError } from '../../../src/base/errors.ts'
import type { FileSystem } from '../../../src/base/file-system.ts'
import { type HttpClient, HttpFailure } from '../../../src/base/http-client.ts'
import type { RunContext, RunningJob, RunningJobEvent } from '../../../src/base/run-context.ts'
import { SimulatedFileSystem } from '../../../src/base/simulated-file-system.ts'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import { command } from '../../../src/cli/command.ts'
import type { EndingSignal, ProcessBoundary } from '../../../src/cli/process-boundary.ts'

export class FakeJob implements RunningJob {
  readonly jobId = 'a'.repeat(32)
  readonly jobName: string
  readonly result: Promise<{ readonly jobId: string; readonly netRuntimeMs: number }>
  readonly suspendedWith: unknown[] = []
  recordsIn = 0
  #status = 'RUNNING'
  #listeners: ((event: RunningJobEvent) => void)[] = []
  #settle: { resolve(result: { jobId: string; netRuntimeMs: number }): void; reject(error: unknown): void } | undefined
  /** Whether `suspend` ends the job. */
  obeys = true

  constructor(jobName = 'words') {
    this.jobName = jobName
    this.result = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    this.result.catch(() => {})
  }

  status = () => this.#status
  metrics = () => ({
    recordsIn: this.recordsIn,
    recordsOut: this.recordsIn / 2,
    lastCheckpointId: 7,
    lastCheckpointDurationMs: 12,
    restarts: 1,
    backPressuredRatio: 0.25,
  })
  subscribe(listener: (event: RunningJobEvent) => void) {
    this.#listeners.push(listener)
    return () => {
      this.#listeners = this.#listeners.filter((one) => one !== listener)
    }
  }
  emit(event: RunningJobEvent) {
    for (const listener of this.#listeners) listener(event)
  }
  async suspend(options?: { readonly timeoutMs?: number | undefined }) {
    this.suspendedWith.push(options?.timeoutMs)
    if (this.obeys) this.end('SUSPENDED')
  }
  async cancel() {
    this.end('CANCELED')
  }
  end(status: 'FINISHED' | 'FAILED' | 'CANCELED' | 'SUSPENDED', cause?: unknown) {
    this.#status = status
    this.emit({ type: 'job.status', status, atMs: 0 })
    if (status === 'FINISHED') return this.#settle?.resolve({ jobId: this.jobId, netRuntimeMs: 1500 })
    this.#settle?.reject(new StreamError(`JOB_${status}`, { message: `Job '${this.jobName}' ended.`, cause }))
  }
}

export interface FakeRun {
  readonly clock: VirtualClock
  readonly code: Promise<number>
  /** Codes with which the process was ended at once. */
  readonly exits: number[]
  readonly argumentsOfJob: (readonly string[])[]
  readonly out: () => string
  readonly err: () => string
  /** Nothing is left that could ever happen. */
  idle(): void
  signal(signal: EndingSignal): void
  uncaught(thrown: unknown): void
}

export interface FakeRunOptions {
  readonly files?: Readonly<Record<string, string>>
  /** Where folders are listed and files opened. */
  readonly disk?: FileSystem
  readonly environment?: Readonly<Record<string, string>>
  readonly terminal?: boolean
  /** Left out: nothing listens anywhere. */
  readonly http?: HttpClient
  /** Left out: there are no REST servers. */
  readonly openRest?: ProcessBoundary['openRest']
  /** What evaluating the job file does. */
  readonly job?: (context: RunContext) => Promise<void> | void
}

/** Runs the command; the file `/work/job.js` is there. */
export function runCommand(argv: readonly string[], options: FakeRunOptions = {}): FakeRun {
  const clock = new VirtualClock()
  const files: Readonly<Record<string, string>> = { '/work/job.js': '', '/work/job.txt': '', ...options.files }
  const [out, err]: [string[], string[]] = [[], []]
  const disk = options.disk ?? new SimulatedFileSystem()
  const exits: number[] = []
  const argumentsOfJob: (readonly string[])[] = []
  const idlers = new Set<() => void>()
  let heard: (signal: EndingSignal) => void = () => {}
  let caught: (thrown: unknown) => void = () => {}
  const output = (lines: string[]) => ({
    write: (text: string) => void lines.push(text),
    isTerminal: options.terminal === true,
    columns: () => 120,
  })
  const boundary: ProcessBoundary = {
    argv,
    environment: options.environment ?? {},
    out: output(out),
    err: output(err),
    clock,
    files: {
      list: (path) => disk.list(path),
      openRead: (path) => disk.openRead(path),
      createExclusive: (path) => disk.createExclusive(path),
      execute: (operations) => disk.execute(operations),
      gunzip: (packed, chunkBytes) => disk.gunzip(packed, chunkBytes),
      read: async (path) => new TextEncoder().encode(files[path]),
      stat: async (path) => (path in files ? { kind: 'file', size: 0, device: '1', inode: '1' } : undefined),
    },
    http: options.http ?? {
      request: async () => {
        throw new HttpFailure('ECONNREFUSED', 'refused')
      },
    },
    absolutePath: (path) => (path.startsWith('/') ? path : `/work/${path}`),
    setArguments: (jobPath, jobArguments) => void argumentsOfJob.push([jobPath, ...jobArguments]),
    importJob: async () => options.job?.(Reflect.get(globalThis, Symbol.for('millrace.run'))),
    onSignal: (listener) => {
      heard = listener
    },
    onIdle: (idle) => {
      idlers.add(idle)
      return () => idlers.delete(idle)
    },
    onUncaught: (listener) => {
      caught = listener
    },
    setIdleTimer: (delayMs, fired) => clock.setTimer(delayMs, fired),
    ...(options.openRest === undefined ? {} : { openRest: options.openRest }),
    exit: (code) => void exits.push(code),
  }
  return {
    clock,
    code: command(boundary),
    exits,
    argumentsOfJob,
    out: () => out.join(''),
    err: () => err.join(''),
    idle: () => {
      for (const idle of [...idlers]) idle()
    },
    signal: (signal) => heard(signal),
    uncaught: (thrown) => caught(thrown),
  }
}

/** Everything that promises can do without the outside world has been done. */
export const settled = async () => {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
}
