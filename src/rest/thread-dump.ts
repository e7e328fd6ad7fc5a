/** What stands in for a dump of threads: everything runs in one, and what it does at this moment is to answer the request. */
import type { ProcessFacts } from '../base/process-facts.ts'
import { ok, type RestAnswer } from './route.ts'

export function threadDump(process: ProcessFacts): RestAnswer {
  const kinds = new Map<string, number>()
  for (const kind of process.activeResources()) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  const open = [...kinds].sort(([one], [other]) => (one < other ? -1 : 1))
  const lines = open.map(([kind, count]) => `\tkeeps open ${kind}${count === 1 ? '' : `, ${count} times`}\n`)
  const stringifiedThreadInfo = `"main" Id=1 RUNNABLE\n\tthe event loop, which runs all tasks and answers this request\n${lines.join('')}\n`
  return ok({ threadInfos: [{ threadName: 'main', stringifiedThreadInfo }] })
}
