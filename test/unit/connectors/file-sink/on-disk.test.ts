import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type NodeFileSystem, nodeFileSystem } from '../../../../src/base/node-file-system.ts'
import { FileSink } from '../../../../src/index.ts'
import { openSink } from '../../operators/subtask-harness.ts'

let folder = ''
let files: NodeFileSystem

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-buckets-'))
  files = nodeFileSystem()
})

afterEach(async () => {
  await files.stop()
  rmSync(folder, { recursive: true })
})

const inFolder = () =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .toSorted()

describe('Buckets on a real disk', () => {
  it('hold their records across a restart at another parallelism, and nothing is left over', async () => {
    const sink = () =>
      FileSink.forCsv<{ id: number; city: string }>(folder, {
        columns: ['id', 'city'],
        bucketAssigner: ({ city }) => `city=${city}/half=${city < 'L' ? 1 : 2}`,
        maxOpenFiles: 3,
      })
    const cities = ['Aachen', 'Köln', 'München', 'Zürich', 'a b']
    const record = (id: number) => ({ id, city: cities[(id * 7) % cities.length] as string })
    const ids = Array.from({ length: 200 }, (_, id) => id)
    const first = [
      await openSink(sink(), { files, subtask: 0, parallelism: 2 }),
      await openSink(sink(), { files, subtask: 1, parallelism: 2 }),
    ] as const
    for (const id of ids.slice(0, 100)) await first[id % 2 === 0 ? 0 : 1].write(record(id))
    const restored = [await first[0].checkpoint(1), await first[1].checkpoint(1)]
    for (const id of ids.slice(100, 150)) await first[id % 2 === 0 ? 0 : 1].write(record(id))
    for (const { operator } of first) await operator.close?.()
    const second = await openSink(sink(), { files, restored, attempt: 1 })
    for (const id of ids.slice(100)) await second.write(record(id))
    await second.operator.finish?.()
    await second.checkpoint(2)
    await second.complete(2)
    await second.operator.close?.()
    const parts = inFolder().filter((path) => path.includes('part-'))
    expect(parts.filter((path) => !path.endsWith('.csv'))).toEqual([])
    const found = parts.flatMap((path) => {
      const [header, ...lines] = readFileSync(join(folder, path), 'utf8').split('\r\n').slice(0, -1)
      expect(header).toBe('id,city')
      for (const line of lines) expect(path).toContain(`city=${line.split(',')[1]}/half=`)
      return lines.map((line) => Number(line.split(',')[0]))
    })
    expect(found.toSorted((one, other) => one - other)).toEqual(ids)
  })
})
