/**
 * An exactly-once sink by hand: a file for each checkpoint and subtask, prepared under one name and made visible by
 * another. What defineSink does not show: the context of the writer, and a committer that answers for each request.
 */
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, rename } from 'node:fs/promises'
import type { Committer, CommittingSinkWriter, TwoPhaseCommittingSink } from 'millrace'

interface Prepared {
  readonly from: string
  readonly to: string
}

export function folderSink<T>(folder: string): TwoPhaseCommittingSink<T, Prepared> {
  return {
    async createWriter({ subtask }): Promise<CommittingSinkWriter<T, Prepared>> {
      await mkdir(folder, { recursive: true })
      let lines: string[] = []
      return {
        write(value) {
          lines.push(JSON.stringify(value))
        },
        flush() {},
        async prepareCommit() {
          if (lines.length === 0) return []
          const to = `${folder}/${subtask}-${randomUUID()}.jsonl`
          const from = `${to}.prepared`
          await writeDurably(from, `${lines.join('\n')}\n`)
          await syncFolder(folder)
          lines = []
          return [{ from, to }]
        },
        close() {},
      }
    },

    createCommitter(): Committer<Prepared> {
      return {
        async commit(requests) {
          for (const request of requests) {
            const { from, to } = request.committable
            if (existsSync(to)) request.alreadyCommitted()
            else if (existsSync(from)) await rename(from, to)
            else if (request.attempt < 3) request.retryLater()
            else request.failed(new Error(`neither ${from} nor ${to} is there`))
          }
          await syncFolder(folder)
        },
        close() {},
      }
    },
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx')
  await file.writeFile(text)
  await file.sync()
  await file.close()
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder)
  await handle.sync()
  await handle.close()
}
