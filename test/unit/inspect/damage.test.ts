/** `millrace inspect` over a damaged checkpoint: refused by name, or shown just as it was. */
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../src/base/random.ts'
import type { FileNode } from '../../../src/base/simulated-disk.ts'
import { memoryDisk, millrace, writeCheckpoint } from './checkpoint-on-disk.ts'

const DAMAGES = 200
const random = seededRandom(7)
const below = (limit: number) => Math.floor(random.next() * limit)

const { disk, files } = memoryDisk()
const keys = Array.from({ length: 400 }, (_, place) => `key ${place}`)
const folder = await writeCheckpoint(files, { keys, coordinated: new Uint8Array(30_000).fill(7) })
const names = [...disk.folder(folder).live.keys()]
const fileNamed = (name: string): FileNode => disk.file(`${folder}/${name}`)
const contents = (name: string): Uint8Array => fileNamed(name).bytes.slice(0, fileNamed(name).length)

function write(name: string, bytes: Uint8Array): void {
  const file = fileNamed(name)
  file.bytes = bytes
  file.length = bytes.length
}

/** Does something to the file, and gives back what undoes it. */
function damage(name: string): () => void {
  const before = contents(name)
  const undo = () => write(name, before)
  const at = below(before.length)
  const kinds: (() => () => void)[] = [
    () => {
      const flipped = before.slice()
      flipped[at] = (flipped[at] as number) ^ (1 << below(8))
      write(name, flipped)
      return undo
    },
    () => {
      write(name, before.slice(0, at))
      return undo
    },
    () => {
      write(name, new Uint8Array([...before, below(256)]))
      return undo
    },
    () => {
      write(name, before.slice().fill(0, at, at + 1 + below(64)))
      return undo
    },
    () => {
      const other = names[below(names.length)] as string
      const others = contents(other)
      write(name, others)
      write(other, before)
      return () => {
        write(other, others)
        undo()
      }
    },
    () => {
      disk.unlink(`${folder}/${name}`)
      return () => {
        disk.append(disk.createFile(`${folder}/${name}`), before)
      }
    },
  ]
  return (kinds[below(kinds.length)] as () => () => void)()
}

describe('A damaged checkpoint', () => {
  test('is refused with the name of a file, or is shown as it was', async () => {
    const whole = await millrace(files, 'inspect', folder)
    const entries = await millrace(files, 'inspect', folder, '--state', 'value')
    expect([whole.code, entries.code]).toEqual([0, 0])
    // Metadata, keyed state of two subtasks, a coordinator's.
    expect(names).toHaveLength(4)
    let refused = 0
    for (let count = 0; count < DAMAGES; count++) {
      const undo = damage(names[below(names.length)] as string)
      for (const [argv, good] of [
        [[], whole],
        [['--state', 'value'], entries],
      ] as const) {
        const shown = await millrace(files, 'inspect', folder, ...argv)
        if (shown.code === 0) expect(shown).toEqual(good)
        else {
          refused++
          expect(shown.out).toBe('')
          expect(shown.err).toMatch(/^error (CHECKPOINT_(DAMAGED|FOREIGN|MISSING|VERSION)|STATE_CORRUPT): /)
          expect(names.some((name) => shown.err.includes(`${folder}/${name}`))).toBe(true)
        }
      }
      undo()
    }
    // Files swapped with themselves, and zeros over zeros.
    expect(refused).toBeGreaterThan(DAMAGES * 1.5)
    expect(await millrace(files, 'inspect', folder)).toEqual(whole)
  }, 60_000)

  test('is refused where a file stands that no other part of it is read from', async () => {
    const name = names.find((one) => one.includes('-coordinator-')) as string
    const before = contents(name)
    write(name, before.slice().fill(8, 20_000, 20_001))
    const { code, err } = await millrace(files, 'inspect', folder)
    write(name, before)
    expect([code, err]).toEqual([1, expect.stringContaining(`'${folder}/${name}' is damaged (changed)`)])
  })

  test('is refused where a file is no plain file', async () => {
    const other = memoryDisk()
    const path = await writeCheckpoint(other.files, { keys })
    const name = [...other.disk.folder(path).live.keys()].find((one) => one.includes('-keyed-')) as string
    other.disk.unlink(`${path}/${name}`)
    other.disk.makeFolder(`${path}/${name}`)
    const { code, err } = await millrace(other.files, 'inspect', path)
    expect([code, err]).toEqual([1, expect.stringMatching(/CHECKPOINT_FOREIGN: .*no plain file/)])
    expect(err).toContain(`${path}/${name}`)
  })
})
