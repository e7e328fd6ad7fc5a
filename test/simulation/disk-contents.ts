/** Looks at a simulated disk from outside, without being an operation on it, and compares what the job has left there. */
import type { Node, SimulatedDisk } from '../../src/base/simulated-disk.ts'
import { OUTPUT } from './kill-test-job.ts'

/** Paths of everything below a folder; folders end in a slash. */
export function pathsBelow(disk: SimulatedDisk, path: string): string[] {
  const node = disk.find(path)
  return node === undefined ? [] : below(node, path)
}

function below(node: Node, path: string): string[] {
  if (node.kind === 'file') return [path]
  return [...node.live].flatMap(([name, child]) =>
    child.kind === 'folder' ? [`${path}/${name}/`, ...below(child, `${path}/${name}`)] : [`${path}/${name}`],
  )
}

export function textOf(disk: SimulatedDisk, path: string): string {
  const { bytes, length } = disk.file(path)
  return Buffer.from(bytes.subarray(0, length)).toString('utf8')
}

export interface OutputDifference {
  readonly lost: number
  readonly duplicated: number
  readonly outOfOrder: number
  /** Lines that no key should have. */
  readonly wrong: number
}

/**
 * What is visible, against what must be. The numbers of part files grow over all subtasks and attempts, so a key's lines
 * stand in the order of the numbers of their files.
 */
export function compareOutput(disk: SimulatedDisk, expected: ReadonlyMap<string, readonly string[]>): OutputDifference {
  const found = new Map<string, string[]>()
  let wrong = 0
  for (const line of visibleLines(disk)) {
    const key = line.slice(0, line.indexOf(' '))
    if (!(expected.get(key)?.includes(line) ?? false)) wrong++
    else found.set(key, [...(found.get(key) ?? []), line])
  }
  let lost = 0
  let duplicated = 0
  let outOfOrder = 0
  for (const [key, lines] of expected) {
    const mine = found.get(key) ?? []
    const once = new Set(mine)
    lost += lines.length - once.size
    duplicated += mine.length - once.size
    const order = [...once].map((line) => lines.indexOf(line))
    outOfOrder += order.filter((place, index) => index > 0 && place < (order[index - 1] as number)).length
  }
  return { lost, duplicated, outOfOrder, wrong }
}

function visibleLines(disk: SimulatedDisk): string[] {
  return pathsBelow(disk, OUTPUT)
    .flatMap((path) => {
      const number = /\/part-\d+-(\d+)\.txt$/.exec(path)?.[1]
      return number === undefined ? [] : [{ path, number: Number(number) }]
    })
    .sort((one, other) => one.number - other.number)
    .flatMap(({ path }) => textOf(disk, path).split('\n').slice(0, -1))
}
