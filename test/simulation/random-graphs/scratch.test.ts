import { test, vi } from 'vitest'
import { JobEvents } from '../../../src/runtime/job-events.ts'
import { readable } from './readable.ts'
import { runPlan } from './run-plan.ts'
import { planOf } from './run-seeds.ts'
import { Tally } from './trouble.ts'

test('one', { timeout: 600_000 }, async () => {
  const plan = planOf(Number(process.env.SEED))
  const log: string[] = []
  console.log(readable(plan).join('\n'))
  const emit = JobEvents.prototype.emit
  let n = 0
  vi.spyOn(JobEvents.prototype, 'emit').mockImplementation(function (this: JobEvents, event) {
    if (event.type === 'restart.scheduled') {
      const e = event.error as any
      console.log('RESTART', event.atMs, e?.code, e?.message, e?.cause?.stack?.slice(0, 1500))
      if (++n > Number(process.env.MOST ?? 12)) {
        console.log('too many')
        process.exit(1)
      }
    } else if (
      event.type === 'checkpoint.completed' ||
      event.type === 'checkpoint.aborted' ||
      event.type === 'job.status' ||
      (event.type === 'task.status' && process.env.TASKS)
    )
      console.log(JSON.stringify(event))
    emit.call(this, event)
  })
  const t = Date.now()
  const out = await runPlan(plan, new Tally(), { log })
  console.log(log.join('\n'), Date.now() - t)
  console.log(out.join('\n').slice(0, 6000))
})
