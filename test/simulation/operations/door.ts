/** What the operator of a simulated job sees of its REST API: types only. */
import type { JobHandle } from '../../../src/runtime/job-handle.ts'

export interface Answer {
  readonly status: number
  readonly type: string
  readonly text: string
}

export interface Door {
  /** Of this process; undefined: not yet. */
  readonly job: JobHandle | undefined
  /** As the API tells it. */
  readonly taskManagerId: string
  ask(method: string, path: string, body?: unknown): Promise<Answer>
}
