import { describe, expect, it } from 'vitest'
import { endedJob } from '../../../src/api/ended-job.ts'

describe('A job that had ended before', () => {
  it('tells how it ended and makes up nothing: no times, no tasks, no failures', () => {
    const job = { jobId: 'a'.repeat(32), jobName: 'x', status: 'FINISHED' }
    const told = endedJob(job).executionGraph()
    expect(told).toMatchObject({ ...job, statusAtMs: {}, startedAtMs: 0, endedAtMs: 0, vertices: [], failures: [] })
    expect(JSON.parse(JSON.stringify(told))).toEqual(told)
  })
})
