/**
 * Hosts the alignment chart of one subtask, of any consistency mode: its state becomes the permission of the record loop,
 * its orders become work of the task. It decides nothing and moves no record.
 */
import { type AlignmentInput, type AlignmentOrder, permission } from '#machines/alignment-vocabulary'
import { atLeastOnceAlignment, pendingIds as idsFollowed } from '#machines/at-least-once-alignment'
import { barrierAlignment, pendingIds as idsAligned } from '#machines/barrier-alignment'
import { pendingIds as idsOvertaking, unalignedAlignment } from '#machines/unaligned-alignment'
import { type AlignmentDeps, AlignmentWork, type UnalignedDeps, type UntimedFact } from './alignment-work.ts'
import { type ChartTap, hostChart } from './host-chart.ts'

export type { AlignmentDeps, UnalignedDeps } from './alignment-work.ts'

export interface AlignmentHosting extends AlignmentInput {
  /** `job/count-0#1/alignment` */
  readonly id: string
  readonly mode: 'EXACTLY_ONCE' | 'AT_LEAST_ONCE'
  readonly deps: AlignmentDeps
  /** Given, of EXACTLY_ONCE: barriers may overtake records. Left out: they never do. */
  readonly unaligned?: UnalignedDeps | undefined
  readonly tap?: ChartTap | undefined
}

type HostsOwn = 'operators.prepared' | 'operators.notPrepared' | 'snapshot.taken' | 'snapshot.failed' | 'timeout.passed'

/** What comes from the lanes and over the link; the answers to its orders, and its timer, are the host's own. */
export type AlignmentNews = Exclude<UntimedFact, { readonly type: HostsOwn }>

export interface AlignmentHost {
  readonly id: string
  /** The first permission is granted here. */
  start(): void
  /** Returns when everything that follows at once is done: the permission is then the new one. */
  send(news: AlignmentNews): void
  /** Ids that are followed and neither complete nor given up. */
  pendingIds(): readonly number[]
  snapshot(): { readonly value: unknown; readonly context: unknown }
  /** News and late answers are dropped from now on. */
  stop(): void
}

export function hostAlignment({ id, mode, deps, unaligned, tap, ...input }: AlignmentHosting): AlignmentHost {
  const tell = (fact: UntimedFact) => chart.send({ ...fact, atMs: deps.nowMs() })
  const work = new AlignmentWork(deps, unaligned, tell)
  const stop = () => {
    chart.stop()
    work.disarm()
  }
  const hosting: Hosting = {
    id,
    input,
    tap,
    permit(snapshot) {
      deps.permit(permission(snapshot))
      // Closed: late answers find nobody.
      if (snapshot.status === 'done') stop()
    },
    obey: (order) => work.obey(order),
    failed: (cause) => deps.failed(cause),
  }
  const { chart, pendingIds } =
    mode === 'AT_LEAST_ONCE'
      ? atLeastOnce(hosting)
      : unaligned === undefined
        ? exactlyOnce(hosting)
        : exactlyOnceUnaligned(hosting)
  return {
    id,
    start: () => chart.start(),
    send: (news) => tell(news),
    pendingIds,
    snapshot: () => chart.snapshot(),
    stop,
  }
}

interface Hosting {
  readonly id: string
  readonly input: AlignmentInput
  readonly tap: ChartTap | undefined
  readonly permit: (snapshot: Parameters<typeof permission>[0] & { readonly status: string }) => void
  readonly obey: (order: AlignmentOrder) => void
  readonly failed: (cause: Error) => void
}

function exactlyOnce(hosting: Hosting) {
  const chart = hostChart(barrierAlignment, hosting)
  return { chart, pendingIds: () => idsAligned(chart.snapshot().context) }
}

function exactlyOnceUnaligned(hosting: Hosting) {
  const chart = hostChart(unalignedAlignment, hosting)
  return { chart, pendingIds: () => idsOvertaking(chart.snapshot().context) }
}

function atLeastOnce(hosting: Hosting) {
  const chart = hostChart(atLeastOnceAlignment, hosting)
  return { chart, pendingIds: () => idsFollowed(chart.snapshot().context) }
}
