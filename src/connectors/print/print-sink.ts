/**
 * Prints records to the standard output, one a line: the one thing in this library that prints unasked. It takes no part
 * in checkpoints: after a restart it prints the records since the last checkpoint again.
 */
import { inspect } from 'node:util'
import type { Sink, SinkWriter, WriterContext } from '../../operators/sink.ts'

/** Where text goes; `process.stdout` is one. */
export interface PrintTarget {
  /** False asks to wait for `drain`. */
  write(text: string): boolean
  once(event: 'drain', listener: () => void): unknown
}

/** Texts are printed as they are, other values as `console.log` shows them, in one line. */
export class PrintSink implements Sink<unknown> {
  readonly #prefix: string | undefined
  readonly #target: PrintTarget | undefined

  /** Lines begin with `prefix>`, or with `prefix:2>` where several subtasks print (they count from 1), as Flink's. */
  constructor(prefix?: string | undefined, target?: PrintTarget | undefined) {
    this.#prefix = prefix
    this.#target = target
  }

  createWriter({ subtask, parallelism }: WriterContext): SinkWriter<unknown> {
    const target = this.#target ?? process.stdout
    const names = [this.#prefix, parallelism > 1 ? String(subtask + 1) : undefined].filter((name) => name !== undefined)
    const start = names.length === 0 ? '' : `${names.join(':')}> `
    return {
      write(value) {
        const text =
          typeof value === 'string' ? value : inspect(value, { depth: 8, breakLength: Number.POSITIVE_INFINITY })
        if (!target.write(`${start}${text}\n`)) return new Promise((settle) => void target.once('drain', settle))
      },
      flush() {},
      close() {},
    }
  }
}
