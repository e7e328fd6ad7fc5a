/** The chart of one subtask's checkpoint, walked completely; every edge replayed against the real host; then at random. */
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { type SubtaskCheckpointFact, subtaskCheckpoint } from '#machines/subtask-checkpoint'
import { hostSubtaskCheckpoint, type SubtaskCheckpointHost } from '../../src/runtime/control/subtask-checkpoint.ts'
import { explore, inWords, unusedTransitions } from './explore.ts'

const ADDRESS = { attempt: 2, checkpointId: 7 } as const
const LOCATION = 'chk-7'
const HANDLES = ['file-1']
/** What the task keeps for what was thrown. */
const causeOf = (thrown: unknown) => ({
  code: 'USER_FUNCTION_FAILED',
  message: (thrown as Error).message,
  restartHelps: true,
  thrown: 1,
})
const failure = (reason: string, message: string) => ({ reason, message, cause: causeOf(new Error(message)) })
const DISK_FULL = failure('CHECKPOINT_ASYNC_EXCEPTION', 'disk full')
const THREW = failure('CHECKPOINT_DECLINED', 'threw')

/** A task whose writer answers when it is told to, and which notes what it was asked to do. */
class SlowWriter {
  readonly asked: string[] = []
  readonly host: SubtaskCheckpointHost<string>
  #answer: { written(handles: string[]): void; notWritten(cause: Error): void } | undefined

  constructor(location: string | undefined) {
    const note = (what: string) => void this.asked.push(what)
    this.host = hostSubtaskCheckpoint<string, string[]>({
      id: 'model/checkpoint-7',
      ...ADDRESS,
      location,
      deps: {
        write: (where, signal) => {
          note(`write to ${where}`)
          signal.addEventListener('abort', () => note('cancel'))
          return new Promise((written, notWritten) => {
            this.#answer = { written, notWritten }
          })
        },
        release: () => note('release'),
        acknowledge: ({ attempt, checkpointId, handles }) => note(`acknowledge ${attempt}/${checkpointId} ${handles}`),
        decline: ({ attempt, checkpointId, reason, message, cause }) =>
          note(`decline ${attempt}/${checkpointId} ${reason} ${message} (${cause.code})`),
        causeOf,
        discard: (handles) => note(`discard ${handles}`),
        forget: ({ attempt, checkpointId }) => note(`forget ${attempt}/${checkpointId}`),
        nowMs: () => 0,
        failed: (cause) => {
          throw cause
        },
      },
    })
    this.host.start()
  }

  frozen(): void {
    this.asked.push('frozen')
    this.host.frozen()
  }

  aborted(): void {
    this.asked.push('abort')
    this.host.aborted()
  }

  written(): void {
    if (this.#answer === undefined) return
    this.asked.push('written')
    this.#answer.written(HANDLES)
    this.#answer = undefined
  }

  notWritten(): void {
    this.#answer?.notWritten(new Error(DISK_FULL.message))
  }

  async perform(fact: SubtaskCheckpointFact): Promise<void> {
    switch (fact.type) {
      case 'location.assigned':
        return this.host.locationAssigned(LOCATION)
      case 'snapshot.frozen':
        return this.frozen()
      case 'snapshot.notFrozen':
        return this.host.notFrozen(new Error(THREW.message))
      case 'checkpoint.aborted':
        return this.aborted()
      case 'state.written':
        this.written()
        return settled()
      case 'state.notWritten':
        this.notWritten()
        return settled()
      default:
        fact satisfies never
    }
  }
}

async function settled(): Promise<void> {
  for (let hop = 0; hop < 5; hop++) await Promise.resolve()
}

interface Surroundings {
  readonly located: boolean
  readonly frozen: boolean
}

const walks = [null, LOCATION].map((location) => ({
  location,
  walk: explore(subtaskCheckpoint, {
    input: { ...ADDRESS, location, startedAtMs: 0 },
    environment: { located: location !== null, frozen: false } as Surroundings,
    facts: ({ value }, now) => {
      const moves: { fact: SubtaskCheckpointFact; environment: Surroundings }[] = []
      const add = (fact: SubtaskCheckpointFact, after: Partial<Surroundings> = {}) =>
        moves.push({ fact, environment: { ...now, ...after } })
      add({ type: 'checkpoint.aborted', atMs: 0 })
      if (!now.located) add({ type: 'location.assigned', location: LOCATION, atMs: 0 }, { located: true })
      if (!now.frozen) {
        add({ type: 'snapshot.frozen', atMs: 0 }, { frozen: true })
        add({ type: 'snapshot.notFrozen', ...THREW, atMs: 0 }, { frozen: true })
      } else if (value === 'writing' || value === 'abandoned') {
        add({ type: 'state.written', handles: HANDLES, atMs: 0 })
        add({ type: 'state.notWritten', ...DISK_FULL, atMs: 0 })
      }
      return moves
    },
    limit: 1_000,
  }),
}))

/** What must hold of everything that a task was asked, and the abort that it was told of (as `abort`). */
const claims: Readonly<Record<string, (asked: readonly string[]) => boolean>> = {
  'a checkpoint is acknowledged or declined at most once': (asked) =>
    asked.filter((what) => /^(acknowledge|decline) /.test(what)).length <= 1,
  'after an abort it is neither acknowledged nor declined': (asked) =>
    !asked.includes('abort') ||
    !asked.slice(asked.indexOf('abort')).some((what) => /^(acknowledge|decline) /.test(what)),
  'the frozen state is written or released, never both and never twice': (asked) =>
    asked.filter((what) => what === 'release' || what.startsWith('write ')).length <= 1,
  'what was written is acknowledged or discarded, never both': (asked) =>
    asked.filter((what) => /^(acknowledge|discard) /.test(what)).length <= 1,
  'when it is forgotten, what was frozen has been written or released': (asked) =>
    !asked.includes('frozen') || !over(asked) || asked.some((what) => what === 'release' || what.startsWith('write ')),
  'when it is forgotten, what was written has been acknowledged or discarded': (asked) =>
    !asked.includes('written') || !over(asked) || asked.some((what) => /^(acknowledge|discard) /.test(what)),
  'only a writer at work is cancelled, and only by an abort': (asked) =>
    !asked.includes('cancel') || (asked.includes(`write to ${LOCATION}`) && asked.includes('abort')),
  'it is forgotten once, as the last thing': (asked) => {
    const first = asked.findIndex((what) => what.startsWith('forget'))
    return first < 0 || asked.slice(first + 1).every((what) => ['abort', 'written', 'frozen'].includes(what))
  },
  'every order carries attempt and checkpoint id': (asked) =>
    asked.every((what) => !/^(acknowledge|decline|forget) /.test(what) || what.includes(' 2/7')),
}

function over(asked: readonly string[]): boolean {
  return asked.some((what) => what.startsWith('forget'))
}

function broken(asked: readonly string[]): readonly string[] {
  return Object.entries(claims).flatMap(([sentence, holds]) => (holds(asked) ? [] : [sentence]))
}

describe('the checkpoint of a subtask', () => {
  test.each(walks)('keeps every claim on every edge, location $location', async ({ location, walk }) => {
    const wrong: string[] = []
    for (const edge of walk.edges) {
      const task = new SlowWriter(location ?? undefined)
      for (const fact of [...edge.path, edge.fact]) {
        await task.perform(fact)
      }
      const elsewhere =
        task.host.snapshot().value === edge.after.value ? [] : ['the host stands elsewhere than the chart']
      const found = [...broken(task.asked), ...elsewhere]
      if (found.length > 0) wrong.push(`${found.join('; ')}:\n${inWords([...edge.path, edge.fact])}\n${task.asked}`)
    }
    expect(wrong.join('\n\n')).toBe('')
  })

  test('leaves no transition of the chart untried, and every state is reached', () => {
    expect(
      unusedTransitions(
        subtaskCheckpoint,
        walks.flatMap(({ walk }) => walk.edges),
      ),
    ).toEqual([])
    expect([...new Set(walks.flatMap(({ walk }) => walk.states.map(({ value }) => value)))].sort()).toEqual(
      ['abandoned', 'aborted', 'acknowledged', 'declined', 'frozen', 'preparing', 'writing'].sort(),
    )
  })

  test('cleans up, whichever of writing, abort, location and freezing comes first', async () => {
    const ends = new Set<string>()
    const printed = vi.spyOn(console, 'warn')
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.boolean(), fc.boolean(), fc.boolean(), async (s, writes, known, aborts) => {
        const task = new SlowWriter(known ? LOCATION : undefined)
        const happens = (what: string, act: () => void) => void s.schedule(Promise.resolve(), what).then(act)
        happens('frozen', () => {
          task.frozen()
          happens('the writer ends', () => (writes ? task.written() : task.notWritten()))
        })
        if (!known)
          happens('the location is known', () => {
            task.host.locationAssigned(LOCATION)
            happens('the writer ends', () => (writes ? task.written() : task.notWritten()))
          })
        if (aborts) happens('the coordinator aborts', () => task.aborted())
        await s.waitIdle()
        await settled()
        expect(broken(task.asked)).toEqual([])
        // However it went, it is over.
        expect(task.asked.filter((what) => what.startsWith('forget'))).toHaveLength(1)
        const wrote = task.asked.includes(`write to ${LOCATION}`)
        const kept = task.asked.some((what) => /^(acknowledge|discard) /.test(what))
        expect(kept).toBe(wrote && writes)
        ends.add(task.asked.join(', '))
      }),
      { numRuns: 500 },
    )
    // What comes too late finds nobody: xstate warns of facts that are sent to a chart that has ended.
    expect(printed).not.toHaveBeenCalled()
    printed.mockRestore()
    // The interleavings that matter did occur.
    const occurred = (...words: readonly string[]) => [...ends].some((end) => words.every((word) => end.includes(word)))
    expect(occurred('cancel', 'discard')).toBe(true)
    expect(occurred('abort', 'release')).toBe(true)
    expect(occurred('acknowledge', 'abort')).toBe(true)
    expect(occurred('decline')).toBe(true)
  })

  test('a writer that throws at once is answered like one that rejects', async () => {
    const asked: string[] = []
    const host = hostSubtaskCheckpoint<string, string[]>({
      id: 'model/checkpoint-7',
      ...ADDRESS,
      location: LOCATION,
      deps: {
        write: () => {
          throw new Error('no such folder')
        },
        release: () => void asked.push('release'),
        acknowledge: () => void asked.push('acknowledge'),
        decline: ({ reason, message, cause }) => void asked.push(`${reason}: ${message}, kept as ${cause.thrown}`),
        causeOf,
        discard: () => void asked.push('discard'),
        forget: () => void asked.push('forget'),
        nowMs: () => 0,
        failed: (cause) => void asked.push(`failed: ${cause}`),
      },
    })
    host.start()
    host.frozen()
    await settled()
    expect(asked).toEqual(['CHECKPOINT_ASYNC_EXCEPTION: no such folder, kept as 1', 'forget'])
  })

  test('an acknowledgement says how long freezing and writing took', async () => {
    let nowMs = 100
    let finish: (handles: string[]) => void = () => {}
    const acknowledged: unknown[] = []
    const ignore = () => {}
    const host = hostSubtaskCheckpoint<string, string[]>({
      id: 'model/checkpoint-7',
      ...ADDRESS,
      location: LOCATION,
      deps: {
        write: () =>
          new Promise((resolve) => {
            finish = resolve
          }),
        acknowledge: (acknowledgement) => void acknowledged.push(acknowledgement),
        release: ignore,
        decline: ignore,
        causeOf,
        discard: ignore,
        forget: ignore,
        nowMs: () => nowMs,
        failed: ignore,
      },
    })
    host.start()
    nowMs = 103
    host.frozen()
    nowMs = 110
    finish(HANDLES)
    await settled()
    expect(acknowledged).toEqual([{ ...ADDRESS, syncMs: 3, asyncMs: 7, handles: HANDLES }])
  })
})
