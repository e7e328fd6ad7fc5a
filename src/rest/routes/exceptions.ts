/** Why a job failed, newest failure first: each with its task, its operator and what failed with it. */
import type { FailedTask, FailureSnapshot } from '../../runtime/execution-graph-snapshot.ts'
import { type JobLook, lookAt } from '../job-look.ts'
import { queryValues, servedJob, wholeNumberQuery } from '../path-parameters.ts'
import { unreadable } from '../refusals.ts'
import { ok, type RestRequest, type Route } from '../route.ts'

/** How many are shown where the request does not say. */
const MOST_SHOWN = 20

type Thrown = FailureSnapshot['concurrent'][number]
type Label = readonly [key: string, value: string]

/** GET /jobs/:jobid/exceptions, with `maxExceptions` and `failureLabelFilter=key:value`. */
export const exceptionsRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/jobs/:jobid/exceptions',
    handle(request, cluster) {
      const most = wholeNumberQuery(request, 'maxExceptions') ?? MOST_SHOWN
      const labels = labelFilter(request)
      return ok({ exceptionHistory: history(lookAt(servedJob(request, cluster), cluster), most, labels) })
    },
  },
]

function history(look: JobLook, most: number, wanted: readonly Label[]) {
  const matching = look.graph.failures.filter(({ task }) => {
    const labels = failureLabels(task)
    return wanted.every(([key, value]) => labels[key] === value)
  })
  const entries = matching.slice(0, most).map((failure) => ({
    ...exceptionOf(failure, look),
    concurrentExceptions: failure.concurrent.map((one) => exceptionOf(one, look)),
  }))
  // As Flink: what more the request could get, not what was forgotten.
  return { entries, truncated: entries.length < matching.length }
}

function exceptionOf({ atMs, throwable, task }: Thrown, look: JobLook) {
  return {
    exceptionName: throwable.name,
    stacktrace: throwable.stack,
    timestamp: atMs,
    failureLabels: failureLabels(task),
    ...(task === null
      ? {}
      : { taskName: taskName(task, look), endpoint: look.endpoint, taskManagerId: look.taskManagerId }),
  }
}

/** The place that Flink has for what else is known of a failure; the dashboard shows it and filters by it. */
function failureLabels(task: FailedTask | null): Readonly<Record<string, string>> {
  return task === null || task.operator === null ? {} : { operator: task.operator }
}

function taskName({ vertex, subtask, attempt }: FailedTask, { graph }: JobLook): string {
  const { name = '', parallelism = 0 } = graph.vertices[vertex] ?? {}
  return `${name} (${subtask + 1}/${parallelism}) - execution #${attempt}`
}

/** Pairs that must all be there. A value may hold colons: operators are called what their authors like. */
function labelFilter(request: RestRequest): readonly Label[] {
  const values = queryValues(request, 'failureLabelFilter')
  return values.map((pair) => {
    const colon = pair.indexOf(':')
    if (colon < 1 || colon === pair.length - 1) throw unreadable('query', 'failureLabelFilter', values.join(','))
    return [pair.slice(0, colon), pair.slice(colon + 1)]
  })
}
