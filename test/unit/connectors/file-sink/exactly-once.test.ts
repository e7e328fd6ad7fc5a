/** Random lives of a sink in which everything happens at once, compared with the list of what was written. */
import { describe, expect, it } from 'vitest'
import { type Random, randomInteger, seededRandom } from '../../../../src/base/random.ts'
import { SimulatedFileSystem } from '../../../../src/base/simulated-file-system.ts'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import { FileSink, type FileSinkOptions } from '../../../../src/index.ts'
import { openSink, type SinkUnderTest } from '../../operators/subtask-harness.ts'
import { FOLDER, filesBelow, textOf } from './folder-contents.ts'

const KEYS = 5
const RECORDS = 60
const BUCKETS = ['', 'a', 'b', 'a/b', 'c/d/e', 'f']

interface Entry {
  readonly index: number
  readonly key: number
  readonly bucket: string
}

interface Published {
  readonly position: number
  readonly states: readonly (Uint8Array | undefined)[]
}

const lineOf = ({ index, key, bucket }: Entry) => `${index} ${key} ${bucket}`
const bucketOf = (line: string) => line.split(' ')[2] as string

class Life {
  readonly input: readonly Entry[]
  readonly published: Published[] = []
  readonly #random: Random
  readonly #options: FileSinkOptions<string>
  #checkpointId = 0
  #epoch = 0

  constructor(random: Random) {
    this.#random = random
    this.input = Array.from({ length: RECORDS }, (_, index) => ({
      index,
      key: randomInteger(random, 0, KEYS - 1),
      bucket: BUCKETS[randomInteger(random, 0, BUCKETS.length - 1)] as string,
    }))
    this.#options = {
      bucketAssigner: bucketOf,
      maxOpenFiles: randomInteger(random, 1, 4),
      rolling: {
        maxPartSize: randomInteger(random, 1, 60),
        rolloverInterval: randomInteger(random, 1, 50),
        inactivityInterval: randomInteger(random, 1, 50),
      },
    }
  }

  /** One attempt from the newest published checkpoint, at any parallelism, to the end or until the process dies. */
  async run(files: SimulatedFileSystem): Promise<void> {
    const random = this.#random
    const from = this.published.at(-1)
    const parallelism = randomInteger(random, 1, 3)
    const epoch = ++this.#epoch
    const clock = new VirtualClock()
    const subtasks: SinkUnderTest<string>[] = []
    for (let subtask = 0; subtask < parallelism; subtask++) {
      const restored = from === undefined ? {} : { restored: from.states }
      const sink = FileSink.forLines(FOLDER, this.#options)
      subtasks.push(await openSink(sink, { files, clock, subtask, parallelism, epoch, ...restored }))
    }
    let position = from?.position ?? 0
    while (position < RECORDS) {
      const entry = this.input[position++] as Entry
      await (subtasks[entry.key % parallelism] as SinkUnderTest<string>).write(lineOf(entry))
      if (random.next() < 0.2) subtasks[0]?.harness.advance(randomInteger(random, 1, 60))
      if (random.next() < 0.15) await this.#checkpoint(subtasks, position)
    }
    await Promise.all(subtasks.map(({ operator }) => operator.finish?.()))
    await this.#checkpoint(subtasks, position, 1)
    await Promise.all(subtasks.map(({ operator }) => operator.close?.()))
  }

  async #checkpoint(subtasks: readonly SinkUnderTest<string>[], position: number, told = this.#random.next()) {
    const id = ++this.#checkpointId
    const states = await Promise.all(subtasks.map((each) => each.checkpoint(id)))
    // Some complete for everybody else and are published, some are never published, some of those published are never told of.
    if (told < 0.2) return
    this.published.push({ position, states })
    if (told > 0.4) await Promise.all(subtasks.map((each) => each.complete(id)))
  }
}

async function finishedEntries(files: SimulatedFileSystem) {
  const found: { line: string; number: number; place: number; bucket: string }[] = []
  for (const path of await filesBelow(files)) {
    const [, bucket = '', number] = /^(?:(.*)\/)?part-\d+-(\d+)\.txt$/.exec(path) ?? []
    if (number === undefined) continue
    const lines = (await textOf(files, path)).split('\n').slice(0, -1)
    for (const [place, line] of lines.entries()) found.push({ line, number: Number(number), place, bucket })
  }
  return found.sort((one, other) => one.number - other.number || one.place - other.place)
}

async function expectExact(life: Life, files: SimulatedFileSystem, name: string): Promise<void> {
  const found = await finishedEntries(files)
  const expected = life.input.map((entry) => ({ line: lineOf(entry), bucket: entry.bucket }))
  const byLine = (one: { line: string }, other: { line: string }) => (one.line < other.line ? -1 : 1)
  expect(found.map(({ line, bucket }) => ({ line, bucket })).toSorted(byLine), name).toEqual(expected.toSorted(byLine))
  for (const bucket of BUCKETS)
    for (let key = 0; key < KEYS; key++) {
      const isOf = (line: string) => line.endsWith(` ${key} ${bucket}`)
      const inOrder = life.input.map(lineOf).filter(isOf)
      expect(found.map(({ line }) => line).filter(isOf), `${name}: key ${key} in bucket "${bucket}"`).toEqual(inOrder)
    }
  expect(
    (await filesBelow(files)).filter((path) => path.endsWith('.inprogress')),
    name,
  ).toEqual([])
}

describe('Every record is in its bucket exactly once, and those of a key are in the order of the file numbers,', () => {
  it('however files roll, when nothing fails', async () => {
    for (let seed = 0; seed < 30; seed++) {
      const life = new Life(seededRandom(seed))
      const files = new SimulatedFileSystem()
      await life.run(files)
      await expectExact(life, files, `seed ${seed}`)
    }
  })

  it.each(['kill', 'posix', 'ordered'] as const)(
    'when processes die at any operation and come back at another parallelism (%s)',
    async (death) => {
      let deaths = 0
      for (let seed = 1_000; seed < 1_060; seed++) {
        const random = seededRandom(seed)
        const life = new Life(random)
        let files = new SimulatedFileSystem()
        for (let dies = randomInteger(random, 1, 3); dies > 0; dies--) {
          const last = randomInteger(random, 1, 400)
          files.interfere = ({ index }) => (index === last ? { type: 'stop' } : undefined)
          let ended = false
          const over = () => {
            ended = true
          }
          await Promise.race([life.run(files).then(over), files.stopped])
          files.interfere = undefined
          if (ended) break
          deaths++
          files = death === 'kill' ? files.kill() : files.crash({ random: seededRandom(seed + dies), model: death })
        }
        await life.run(files)
        await expectExact(life, files, `seed ${seed}`)
      }
      expect(deaths).toBeGreaterThan(60)
    },
  )
})
