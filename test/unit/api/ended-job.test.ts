import { describe, expect, it } from 'vitest'
import { endedJob, rememberedJob } from '../../../src/api/ended-job.ts'

describe('A job that had ended before', () => {
  it('tells how it ended and makes up nothing: no times, no tasks, no failures', () => {
    const job = { jobId: 'a'.repeat(32), jobName: 'x', status: 'FINISHED' }
    const told = endedJob(job).executionGraph()
    expect(told).toMatchObject({ ...job, statusAtMs: {}, startedAtMs: 0, endedAtMs: 0, vertices: [], failures: [] })
    expect(JSON.parse(JSON.stringify(told))).toEqual(told)
  })
})

describe('What is left of a job that is over', () => {
  it('tells what the job told then, and asks it nothing any more', async () => {
    const ended = endedJob({ jobId: 'a'.repeat(32), jobName: 'x', status: 'CANCELED' })
    let isOver = false
    const once = <Told>(tell: () => Told) => {
      return () => {
        if (isOver) throw new Error('asked again')
        return tell()
      }
    }
    const { status, metrics, checkpoints, executionGraph, measurements } = ended
    const job = {
      ...ended,
      ...{
        status: once(status),
        metrics: once(() => ({ ...metrics(), recordsIn: 7 })),
        checkpoints: once(checkpoints),
      },
      ...{ executionGraph: once(executionGraph), measurements: once(measurements) },
    }
    const left = rememberedJob(job)
    isOver = true
    expect([left.jobId, left.jobName, left.status(), left.metrics().recordsIn]).toEqual([
      'a'.repeat(32),
      'x',
      'CANCELED',
      7,
    ])
    expect([left.executionGraph(), left.checkpoints(), left.measurements()]).toEqual([
      executionGraph(),
      checkpoints(),
      [],
    ])
    expect(left.result).toBe(job.result)
    await expect(left.triggerSavepoint()).rejects.toThrow('has ended')
  })
})
