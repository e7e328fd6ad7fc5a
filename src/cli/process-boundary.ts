/** Everything of the process that the command line touches, in one object: `main.ts` has the real one, tests hand in their own. */
import type { RestEndpoint, RestSurroundings } from '../api/execute-options.ts'
import type { Clock, Timer } from '../base/clock.ts'
import type { FileSystem } from '../base/file-system.ts'
import type { HttpClient } from '../base/http-client.ts'
import type { Logger } from '../base/logger.ts'
import type { RestServerOptions } from '../rest/rest-server-options.ts'

export type EndingSignal = 'SIGINT' | 'SIGTERM'

export interface ProcessBoundary {
  /** Without the program and its file. */
  readonly argv: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly out: Output
  readonly err: Output
  readonly clock: Clock
  readonly files: FileSystem
  readonly http: HttpClient
  /** Of a path that is relative to the working folder. */
  absolutePath(path: string): string
  /** What the job finds in `process.argv` behind the program. */
  setArguments(jobPath: string, jobArguments: readonly string[]): void
  /** Evaluates the module at the absolute path. Rejects with whatever it threw. */
  importJob(path: string): Promise<void>
  onSignal(heard: (signal: EndingSignal) => void): void
  /** Calls when nothing is left that could ever happen; not again. */
  onIdle(idle: () => void): () => void
  /** Calls for an error that nobody caught, a rejected promise included. The process does not go on after it. */
  onUncaught(caught: (thrown: unknown) => void): void
  /** A timer that keeps no process alive: it fires only while something else does. */
  setIdleTimer(delayMs: number, fired: () => void): Timer
  /** A REST server that listens, and what jobs log by. Rejects where it cannot listen. Left out: there are none. */
  openRest?(
    options: RestServerOptions,
    surroundings: Pick<RestSurroundings, 'configuration'> & { readonly logger: Logger },
  ): Promise<{ readonly server: RestEndpoint; readonly logger: Logger }>
  /** Ends the process at once. */
  exit(code: number): void
}

export interface Output {
  write(text: string): void
  readonly isTerminal: boolean
  /** Until it takes more; `nobodyReads` when its other end was closed. Left out: it takes everything at once. */
  taken?(): Promise<'taken' | 'nobodyReads'>
  /** Width of the terminal; 80 where there is none. */
  columns(): number
  /** Calls before somebody else (the job's own printing) writes to it. */
  onForeignWrite?(before: () => void): void
}
