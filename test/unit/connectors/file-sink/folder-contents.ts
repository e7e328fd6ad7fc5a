/** What lies below the folder of a sink, looked at from outside. */
import type { FileSystem } from '../../../../src/base/file-system.ts'

export const FOLDER = '/out'

/** Paths of all files, relative to the folder, sorted. */
export async function filesBelow(files: FileSystem, bucket = ''): Promise<readonly string[]> {
  const found: string[] = []
  for (const { name, kind } of await files.list(bucket === '' ? FOLDER : `${FOLDER}/${bucket}`)) {
    const path = bucket === '' ? name : `${bucket}/${name}`
    if (kind === 'folder') found.push(...(await filesBelow(files, path)))
    else found.push(path)
  }
  return found.sort()
}

export async function textOf(files: FileSystem, path: string): Promise<string> {
  return Buffer.from(await files.read(`${FOLDER}/${path}`)).toString()
}

/** By bucket, the lines of its finished files, in the order of subtasks and, of one, of the numbers. */
export async function finishedLines(files: FileSystem): Promise<ReadonlyMap<string, readonly string[]>> {
  const parts: { bucket: string; subtask: number; number: number; path: string }[] = []
  for (const path of await filesBelow(files)) {
    const [, bucket = '', subtask, number] = /^(?:(.*)\/)?part-(\d+)-(\d+)\.[a-z]+$/.exec(path) ?? []
    if (number !== undefined) parts.push({ bucket, subtask: Number(subtask), number: Number(number), path })
  }
  parts.sort((one, other) => one.subtask - other.subtask || one.number - other.number)
  const lines = new Map<string, string[]>()
  for (const { bucket, path } of parts) {
    const before = lines.get(bucket) ?? []
    lines.set(bucket, [...before, ...(await textOf(files, path)).split('\n').slice(0, -1)])
  }
  return lines
}

/** The event loop goes round so often that what was begun in the background is over. */
export async function background(): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await new Promise((settle) => setImmediate(settle))
}
