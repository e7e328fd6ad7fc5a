import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../../src/base/logger.ts'
import type { DeclaredJob, RunContext, RunContextOptions } from '../../../src/base/run-context.ts'
import { VERSION } from '../../../src/base/version.ts'
import type { JobGraph } from '../../../src/graph/job-graph.ts'
import { CollectSink } from '../../../src/index.ts'
import { Launchpad, layerOf } from './started-job.ts'

const OPTIONS: RunContextOptions = {
  fromSavepoint: undefined,
  allowNonRestoredState: false,
  claimMode: undefined,
  resume: undefined,
  takeover: false,
  rest: undefined,
}

/** An environment under `millrace plan`, and what was handed over. */
function planned(answer: 'taken' | 'passedOver', around: { readonly options?: Partial<RunContextOptions> } = {}) {
  const jobs: DeclaredJob[] = []
  const refused: unknown[] = []
  const run: RunContext = {
    version: VERSION,
    layers: [layerOf('command line', { 'parallelism.default': 3 })],
    get options(): never {
      throw new Error('a plan has no options of a run')
    },
    logger: silentLogger,
    jobStarted: () => expect.unreachable('nothing is started'),
    jobRefused: (_name, error) => void refused.push(error),
    jobSkipped: () => expect.unreachable('nothing is skipped'),
    plan: {
      options: { ...OPTIONS, ...around.options },
      jobDeclared(job) {
        jobs.push(job)
        return answer
      },
    },
  }
  return { pad: new Launchpad({ run }), jobs, refused }
}

/** All that promises can do without the outside world has been done. */
const settled = async () => {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
}

describe('An environment under millrace plan', () => {
  it('hands the graph over that it would start, and starts nothing', async () => {
    const { pad, jobs } = planned('taken')
    pad.env
      .fromSequence(1, 9)
      .map((value) => value)
      .uid('same')
      .print()
    void pad.env.execute('numbers')
    await settled()
    expect(pad.started).toEqual([])
    expect(jobs).toMatchObject([{ jobName: 'numbers', allowNonRestoredState: false, stateBackend: 'hashmap' }])
    const graph = jobs[0]?.graph as JobGraph
    expect(graph.vertices[0]).toMatchObject({ parallelism: 3, operators: [{}, { uid: 'same' }, {}] })
  })

  it('never comes back from the execute that is planned', async () => {
    const { pad, jobs } = planned('taken')
    pad.env.fromData([1]).print()
    let came = false
    const back = () => {
      came = true
    }
    void pad.env.execute().then(back, back)
    await settled()
    expect([jobs.length, came]).toEqual([1, false])
  })

  it('answers for another job as for one that had finished before', async () => {
    const { pad } = planned('passedOver')
    const sink = new CollectSink<number>()
    pad.env.fromData([1]).sinkTo(sink)
    expect(await pad.env.execute('other')).toMatchObject({ netRuntimeMs: 0 })
    expect(pad.started).toEqual([])
  })

  it('says whether state may be left behind: the code wins over the command line', async () => {
    const allowed = async (code: boolean | undefined, commandLine: boolean) => {
      const { pad, jobs } = planned('taken', { options: { allowNonRestoredState: commandLine } })
      pad.env.fromData([1]).print()
      void pad.env.execute('job', { allowNonRestoredState: code })
      await settled()
      return jobs[0]?.allowNonRestoredState
    }
    expect(await allowed(undefined, false)).toBe(false)
    expect(await allowed(undefined, true)).toBe(true)
    expect(await allowed(false, true)).toBe(false)
    expect(await allowed(true, false)).toBe(true)
  })

  it('refuses what cannot be a job, and says so', async () => {
    const { pad, jobs, refused } = planned('taken')
    await expect(pad.env.execute('empty')).rejects.toMatchObject({ code: 'EMPTY_JOB' })
    expect(refused).toMatchObject([{ code: 'EMPTY_JOB' }])
    expect(jobs).toEqual([])
  })
})
