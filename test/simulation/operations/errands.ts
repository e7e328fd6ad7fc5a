/** Operations that somebody has triggered over REST in one process: asks how they stand, and holds each answer against the job. */
import { isOver } from '../../../src/api/ended-job.ts'
import type { JobHandle } from '../../../src/runtime/job-handle.ts'
import type { Tally } from '../random-graphs/trouble.ts'
import type { Answer, Door } from './door.ts'
import { isErrors, parsed } from './reads.ts'

export type Kind = 'savepoint' | 'stop' | 'drain' | 'cancel with savepoint' | 'checkpoint' | 'disposal'

/** One operation, however often it was triggered. */
export interface Errand {
  readonly kind: Kind
  readonly triggerId: string
  readonly format?: 'CANONICAL' | 'NATIVE' | undefined
  /** Of a disposal. */
  readonly path?: string | undefined
  /** Once it is known: the location or the number of a checkpoint, or why there is none. */
  told?: { readonly result: string } | { readonly failure: string } | undefined
}

export interface ErrandsOptions {
  readonly door: Door
  readonly tally: Tally
  complain(what: string): void
  /** Of a completed checkpoint of this process. */
  isCompleted(checkpointId: number): boolean
  isSavepoint(folder: string): boolean
}

/** Those that leave a savepoint. */
const WITH_LOCATION: readonly Kind[] = ['savepoint', 'stop', 'drain', 'cancel with savepoint']

export class Errands {
  readonly all: Errand[] = []
  readonly #options: ErrandsOptions

  constructor(options: ErrandsOptions) {
    this.#options = options
  }

  /** Whether somebody has triggered such a one, and it is not known that it failed. */
  has(...kinds: readonly Kind[]): boolean {
    return this.all.some(({ kind, told }) => kinds.includes(kind) && !(told !== undefined && 'failure' in told))
  }

  locationOf(...kinds: readonly Kind[]): { readonly path: string; readonly errand: Errand } | undefined {
    for (const errand of this.all)
      if (kinds.includes(errand.kind) && errand.told !== undefined && 'result' in errand.told)
        return { path: localPathOf(errand.told.result), errand }
    return undefined
  }

  /** Triggers; under the id of an earlier one nothing new begins. Undefined where it was refused, which is complained of. */
  async trigger(
    kind: Kind,
    path: string,
    body: object,
    more: Pick<Errand, 'format' | 'path'> = {},
  ): Promise<Errand | undefined> {
    const { door, complain } = this.#options
    const answer = await door.ask('POST', path, body)
    const told = parsed(answer.text) as { 'request-id'?: unknown } | undefined
    const id = told?.['request-id']
    if (answer.status !== (kind === 'disposal' ? 200 : 202) || typeof id !== 'string' || !/^[0-9a-f]{32}$/.test(id)) {
      complain(`${kind} with ${JSON.stringify(body)} was answered ${answer.status} ${answer.text.slice(0, 300)}`)
      return undefined
    }
    const wanted = (body as { readonly triggerId?: string | null }).triggerId
    if (wanted !== undefined && wanted !== null && id !== wanted.toLowerCase())
      complain(`${kind} with trigger id ${wanted} was answered ${id}`)
    const known = this.all.find(({ triggerId, kind: other }) => triggerId === id && isAlike(kind, other))
    if (known !== undefined) return known
    const errand: Errand = { kind, triggerId: id, ...more }
    this.all.push(errand)
    return errand
  }

  /** Asks how it stands. */
  async poll(errand: Errand): Promise<void> {
    const { door, complain, tally } = this.#options
    const { kind, triggerId } = errand
    const answer = await door.ask('GET', statusPath(errand, door.job?.jobId ?? ''))
    const told = toldBy(answer, kind === 'checkpoint' ? 'failureCause' : 'failure-cause')
    if (typeof told === 'string') return complain(`poll of ${kind} ${triggerId}: ${told}: ${answer.text.slice(0, 300)}`)
    if (errand.told !== undefined && JSON.stringify(told) !== JSON.stringify(errand.told))
      return complain(`${kind} ${triggerId} was ${JSON.stringify(errand.told)} and is ${JSON.stringify(told)}`)
    if (errand.told !== undefined || told === undefined) return
    errand.told = told
    tally.add(`${kind}: ${'failure' in told ? 'told to have failed' : 'done'}`)
    if ('failure' in told) tally.add(`reasons: ${reasonOf(told.failure)}`)
    else this.#check(errand, told.result)
  }

  /** A result that contradicts what the job says, or what is on the disk, is complained of. */
  #check({ kind, path }: Errand, result: string): void {
    const { door, complain, isCompleted, isSavepoint } = this.#options
    const status = (door.job as JobHandle).status()
    if ((kind === 'stop' || kind === 'drain') && status !== 'FINISHED')
      complain(`a ${kind} reports ${result}, and the job is ${status}`)
    if (kind === 'cancel with savepoint' && status !== 'CANCELED')
      complain(`a cancel reports ${result}, and the job is ${status}`)
    if (kind === 'checkpoint' && !isCompleted(Number(result))) complain(`checkpoint ${result} is not complete`)
    if (WITH_LOCATION.includes(kind) && !isSavepoint(localPathOf(result))) complain(`no savepoint is at ${result}`)
    if (kind === 'disposal' && isSavepoint(path ?? '')) complain(`${path} was deleted, and is there`)
  }

  /** At the end of the job, when everything is known: whoever ended it was told so. */
  checkEnd(): void {
    const { door, complain } = this.#options
    const status = (door.job as JobHandle).status()
    if (!isOver(status)) complain(`the job is ${status} at its end`)
    for (const { kind, triggerId, told } of this.all)
      if (told === undefined) complain(`nobody knows what became of ${kind} ${triggerId}`)
    if (this.locationOf('stop', 'drain') !== undefined && this.locationOf('cancel with savepoint') !== undefined)
      complain('the job was stopped and canceled')
  }
}

/** A stop is asked for among the savepoints: they share their trigger ids. */
const isAlike = (one: Kind, other: Kind) =>
  one === other || (WITH_LOCATION.includes(one) && WITH_LOCATION.includes(other))

function statusPath({ kind, triggerId }: Errand, jobId: string): string {
  if (kind === 'disposal') return `/savepoint-disposal/${triggerId}`
  return `/v1/jobs/${jobId}/${kind === 'checkpoint' ? 'checkpoints' : 'savepoints'}/${triggerId}`
}

/** Undefined: in progress. A text: what is wrong with the answer. */
function toldBy({ status, text }: Answer, failureKey: string): Errand['told'] | string {
  const body = parsed(text)
  if (status !== 200) return isErrors(body) ? `it is refused with ${status}` : `it is refused with ${status}, otherwise`
  const {
    status: stands,
    operation,
    ...more
  } = body as {
    readonly status?: { readonly id?: unknown }
    readonly operation?: Readonly<Record<string, unknown>> | null
  }
  if (Object.keys(more).length > 0) return 'it has other keys'
  if (stands?.id === 'IN_PROGRESS') return operation === null ? undefined : 'it is in progress and has a result'
  if (stands?.id !== 'COMPLETED' || typeof operation !== 'object' || operation === null) return 'it has no result'
  const [[key, value] = ['', undefined], ...others] = Object.entries(operation)
  if (others.length > 0) return 'it has several results'
  if (key !== failureKey) return { result: key === '' ? '' : String(value) }
  const {
    class: name,
    'stack-trace': stack,
    'serialized-throwable': bytes,
  } = value as Readonly<Record<string, unknown>>
  if (typeof name !== 'string' || typeof stack !== 'string' || typeof bytes !== 'string')
    return 'its failure is no failure'
  return { failure: stack }
}

/** Of a message with ids and paths in it, what is alike. */
function reasonOf(stack: string): string {
  const [first = ''] = stack.split('\n')
  return first
    .replace(/^[\w.]*\./, '')
    .replace(/: /g, ', ')
    .replace(/[0-9a-f]{32}|\/data\S*|savepoint-\S*|[0-9]+/g, '…')
    .slice(0, 150)
}

export const localPathOf = (location: string): string => decodeURI(location.replace(/^file:/, ''))
