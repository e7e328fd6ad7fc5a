/** `millrace list`: the jobs of a REST interface in three groups, as Flink prints them. */
import { invalid, isObject } from './rest-answer.ts'
import type { RestTask } from './rest-commands.ts'
import { failingAs, type RestConversation } from './rest-conversation.ts'

interface Job {
  readonly id: string
  readonly name: string
  readonly state: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
}

type ListTask = RestTask & { readonly type: 'list' }

const SCHEDULED = ['CREATED', 'INITIALIZING']
const TERMINATED = ['FAILED', 'CANCELED', 'FINISHED']

/** Rejects as `RestClient.send`. */
export async function listJobs(task: ListTask, { client, print }: RestConversation): Promise<void> {
  print('Waiting for response...')
  const path = '/jobs/overview'
  const jobs = await failingAs(
    'Failed to retrieve job list.',
    client.send('GET', path).then((answer) => jobsIn(answer.jobs, client.describe('GET', path))),
  )
  for (const line of listLines(jobs, task)) print(line)
}

/** Throws REST_ANSWER_INVALID. */
function jobsIn(jobs: unknown, request: string): readonly Job[] {
  if (!Array.isArray(jobs)) throw invalid(request, "has no list of 'jobs'")
  return jobs.map((job: unknown) => {
    const { jid, name, state, 'start-time': startedAt } = isObject(job) ? job : {}
    if (typeof jid !== 'string' || typeof name !== 'string' || typeof state !== 'string' || !isTime(startedAt))
      throw invalid(request, "lists a job without 'jid', 'name', 'state' or 'start-time'")
    return { id: jid, name, state, startedAt }
  })
}

/** What a date can hold. */
const isTime = (value: unknown): value is number => typeof value === 'number' && Math.abs(value) <= 8.64e15

function listLines(jobs: readonly Job[], { running, scheduled, terminated }: ListTask): readonly string[] {
  const [waiting, over] = [SCHEDULED, TERMINATED].map((states) => jobs.filter(({ state }) => states.includes(state)))
  const rest = jobs.filter(({ state }) => !SCHEDULED.includes(state) && !TERMINATED.includes(state))
  return [
    ...(running ? group('------------------ Running/Restarting Jobs -------------------', rest, 'running') : []),
    ...(scheduled
      ? group('----------------------- Scheduled Jobs -----------------------', waiting ?? [], 'scheduled')
      : []),
    ...(terminated ? group('---------------------- Terminated Jobs -----------------------', over ?? []) : []),
  ]
}

/** `kind`: what an empty group is said to be; undefined: an empty one is not shown. */
function group(title: string, jobs: readonly Job[], kind?: string): readonly string[] {
  if (jobs.length === 0) return kind === undefined ? [] : [`No ${kind} jobs.`]
  const rows = [...jobs]
    .sort(byStartThenState)
    .map((job) => `${localTime(job.startedAt)} : ${job.id} : ${job.name} (${job.state})`)
  return [title, ...rows, '-'.repeat(62)]
}

function byStartThenState(one: Job, other: Job): number {
  if (one.startedAt !== other.startedAt) return one.startedAt - other.startedAt
  if (one.state === other.state) return 0
  return one.state < other.state ? -1 : 1
}

/** `23.11.2026 03:53:24`, in the time zone of whoever reads it. */
function localTime(atMs: number): string {
  const at = new Date(atMs)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${two(at.getDate())}.${two(at.getMonth() + 1)}.${String(at.getFullYear()).padStart(4, '0')}`
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}
