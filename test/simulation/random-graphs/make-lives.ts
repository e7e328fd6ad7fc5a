/** Makes what happens to the processes of a plan of what was drawn: where it must, each ends in a way that tells something. */
import type { LifePlan } from './plan.ts'

export interface LivesOptions {
  /** The next process, at another parallelism, shall restore records in flight. */
  readonly handsOn: boolean
  /** No process ends by itself. */
  readonly isEndless: boolean
}

export function makeLives(drawn: readonly LifePlan[], { handsOn, isEndless }: LivesOptions): readonly LifePlan[] {
  return drawn.map((life, nth) => {
    if (nth === drawn.length - 1) return inPeace(life)
    const end = handsOn ? inFlight(life.end) : life.end
    return { ...life, end: isEndless ? certain(end) : end }
  })
}

/** A process that ends soon behind a checkpoint hands on what that has captured, before the next one holds less. */
const SOON_MS = 6

function inFlight(end: LifePlan['end']): LifePlan['end'] {
  if (end.type === 'nothing') return { type: 'kill', at: { behind: 1, nth: 0 } }
  if (end.type === 'stop' || end.type === 'crash') return end
  return { ...end, at: { behind: end.at.behind, nth: end.at.nth % SOON_MS } }
}

const SUSPENDED_LATER = { type: 'suspend', at: { behind: 3, nth: 5 } } as const

/** A job that never ends by itself must come to the end that is planned: to an operation that each checkpoint brings. */
function certain(end: LifePlan['end']): LifePlan['end'] {
  if (end.type === 'nothing') return SUSPENDED_LATER
  return end.type === 'crash' ? { ...end, at: { ...end.at, nth: end.at.nth % 8 } } : end
}

function inPeace(life: LifePlan): LifePlan {
  const nothing = {
    throwsAt: [],
    commitFailsAt: [],
    stepsFailAt: [],
    diskFailsAt: [],
    diskWaitsAt: [],
    savepointsAt: [],
  }
  return { ...life, ...nothing, end: { type: 'nothing' } }
}
