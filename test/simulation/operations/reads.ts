/** Asks all that can be read over REST, in any order and of things that may not be there, and looks at each answer's form. */
import { type Random, randomInteger } from '../../../src/base/random.ts'
import { ALL_ROUTES } from '../../../src/rest/all-routes.ts'
import type { JobHandle } from '../../../src/runtime/job-handle.ts'
import { type Recording, recordings } from '../../fixtures/flink-rest/recordings.ts'
import { shapeDifferences } from '../../unit/rest/routes/recorded-shape.ts'
import type { Answer } from './door.ts'

/** Everything that changes nothing. */
const READS = ALL_ROUTES.filter(({ method, mutates }) => method === 'GET' && mutates !== true)
const FOLDERS = ['applications', 'async', 'cluster', 'job-canceled', 'job-failed', 'job-finished'].concat([
  ...['job-no-checkpoints', 'job-restarting', 'job-running', 'job-unaligned', 'job-waiting'],
])
/** What is not there, is not here, or may not be. */
const REFUSALS: readonly number[] = [400, 403, 404, 308, 501, 503]
/** Where Flink's dispatcher finds no such job, application or task manager, and what its scheduler never answers. */
const WITH_500 = /^\/(jobs\/:jobid\/status$|taskmanagers\/:|applications\/:)/
const ALWAYS_500 = '/jobs/:jobid/resource-requirements'

let recorded: ReadonlyMap<string, readonly Recording[]> | undefined

/** Of answers of 200, by route. */
function recordedOf(template: string): readonly Recording[] {
  if (recorded === undefined) {
    const all = new Map<string, Recording[]>()
    for (const folder of FOLDERS)
      for (const recording of Object.values(recordings(folder)))
        if (recording.method === 'GET' && recording.status === 200)
          all.set(recording.template, [...(all.get(recording.template) ?? []), recording])
    recorded = all
  }
  return recorded.get(template) ?? []
}

export interface Known {
  readonly random: Random
  readonly job: JobHandle
  readonly taskManagerId: string
  readonly triggerIds: readonly string[]
}

export interface Read {
  readonly template: string
  readonly path: string
  /** What is asked about need not be there. */
  readonly isVague: boolean
}

const NOBODY = 'f'.repeat(32)

export function drawRead({ random, job, taskManagerId, triggerIds }: Known): Read {
  const { path: template } = one(random, READS)
  let isVague = false
  const perhaps = (value: string | undefined, other = NOBODY) => {
    if (value !== undefined && random.next() > 0.05) return value
    isVague = true
    return other
  }
  const graph = job.executionGraph()
  const vertex = one(random, graph.vertices)
  const subtask = vertex === undefined ? undefined : one(random, vertex.subtasks)
  const values: Readonly<Record<string, () => string>> = {
    jobid: () => perhaps(job.jobId),
    applicationid: () => perhaps(job.jobId),
    vertexid: () => perhaps(vertex?.id),
    subtaskindex: () => perhaps(subtask === undefined ? undefined : `${subtask.index}`, '77'),
    attempt: () => perhaps(subtask === undefined ? undefined : `${subtask.current.attempt}`, '78'),
    checkpointid: () => perhaps(one(random, job.checkpoints().history)?.checkpointId.toString(), '79'),
    taskmanagerid: () => perhaps(taskManagerId),
    triggerid: () => {
      isVague = true
      return one(random, triggerIds) ?? NOBODY
    },
  }
  const path = template.replace(/:(\w+)/g, (_, name: string) => {
    const value = values[name]
    if (value !== undefined) return value()
    isVague = true
    return 'x'
  })
  return { template, path: `${random.next() < 0.5 ? '/v1' : ''}${path}`, isVague }
}

const one = <T>(random: Random, all: readonly T[]): T => all[randomInteger(random, 0, all.length - 1)] as T

/** In words. */
export function wrongWith({ template, path, isVague }: Read, answer: Answer): readonly string[] {
  const at = `GET ${path}: ${answer.status}`
  const mayRefuse =
    REFUSALS.includes(answer.status) ||
    (answer.status === 500 && (template === ALWAYS_500 || (isVague && WITH_500.test(template))))
  if (answer.status !== 200 && answer.status !== 202 && !mayRefuse) return [`${at} ${answer.text.slice(0, 300)}`]
  if (!answer.type.startsWith('application/json'))
    return answer.type.startsWith('text/') ? [] : [`${at}: its type is ${answer.type}`]
  const body = parsed(answer.text)
  if (body === undefined) return [`${at}: no JSON: ${answer.text.slice(0, 300)}`]
  if (answer.status >= 300) return isErrors(body) ? [] : [`${at}: errors are told otherwise: ${answer.text}`]
  const all = recordedOf(template)
  if (all.length === 0 || isVague) return []
  const differences = all.map((recording) => shapeDifferences(body, recording.body).filter(isForm))
  return differences.some((found) => found.length === 0) ? [] : [`${at}: ${differences[0]?.slice(0, 5).join('; ')}`]
}

/** Fractions, which may be whole. */
const isForm = (difference: string) => !/\.(cpuCores|\w*[rR]atio): number/.test(difference)

/** Undefined: no JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // A SyntaxError.
    return undefined
  }
}

/** Any key more, and Flink's client takes it for a success. */
export function isErrors(body: unknown): boolean {
  if (typeof body !== 'object' || body === null || Object.keys(body).join() !== 'errors') return false
  const { errors } = body as { readonly errors: unknown }
  return Array.isArray(errors) && errors.length > 0 && errors.every((one) => typeof one === 'string' && one !== '')
}
