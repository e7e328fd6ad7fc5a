/** A failure as Flink's answers hold it. Its Java clients read the serialized part alone, everybody else the other two. */
import { Buffer } from 'node:buffer'
import type { ThrowableSnapshot } from '../runtime/execution-graph-snapshot.ts'
import { type JavaThrowable, serializedThrowable, stackTraceOf } from './serialized-throwable.ts'

export interface FailureObject {
  readonly class: string
  readonly 'stack-trace': string
  /** Base64. */
  readonly 'serialized-throwable': string
}

export function failureObject(throwable: JavaThrowable): FailureObject {
  return {
    class: throwable.className,
    'stack-trace': stackTraceOf(throwable),
    'serialized-throwable': Buffer.from(serializedThrowable(throwable)).toString('base64'),
  }
}

/** Of what failed a job; with its JavaScript name and stack, for which Java has no class. */
export function javaThrowableOf({ name, message, stack }: ThrowableSnapshot): JavaThrowable {
  return { className: name, message, stackTrace: stack.endsWith('\n') ? stack : `${stack}\n` }
}
