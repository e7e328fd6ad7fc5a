import { describe, expect, it } from 'vitest'
import { randomInteger, seededRandom } from '../../src/base/random.ts'
import { type Case, runCases, say } from './cases.ts'
import { changesNothing, input, operationsOf, settings } from './kill-test-settings.ts'
import { type Life, type Loss, live } from './lives.ts'

const FILE = 'crash-at-every-operation.test.ts'
const LOSSES: readonly Loss[] = ['kill', 'posix', 'ordered']

/** The same first process in every case: its operations are those of the run that nobody disturbs. */
const first: Life = { settings, seed: 1 }

const undisturbed = () => live(input, () => first)

describe('The kill-test job', () => {
  it('runs to its end in the same way whenever the seed is the same', async () => {
    const one = await undisturbed()
    const again = await undisturbed()
    const other = await live(input, () => ({ settings, seed: 2 }))
    const hashOf = ({ lives }: typeof one) => lives[0]?.world.traceHash()
    expect(one.problems).toEqual([])
    expect(hashOf(again)).toBe(hashOf(one))
    expect(hashOf(other)).not.toBe(hashOf(one))
  })

  it('is exact after a crash before any of its file operations, whatever the disk loses', {
    timeout: 300_000,
  }, async () => {
    const operations = await operationsOf(first)
    const crashPoints = function* (): Iterable<Case> {
      for (const operation of operations) {
        const { index } = operation
        for (const loss of changesNothing(operation) ? [LOSSES[index % 3] as Loss] : LOSSES) {
          const crashed: Life = { ...first, crash: { before: index, loss } }
          const run = () => live(input, (lived) => (lived === 0 ? crashed : { settings, seed: index * 100 + lived }))
          yield { name: `before ${index}, ${loss}`, run }
        }
      }
    }
    const { cases } = await runCases(FILE, crashPoints())
    say(`crash before each of ${operations.length} file operations, ${cases} cases, 0 wrong`)
  })

  it('is exact after further crashes during its recovery', { timeout: 300_000 }, async () => {
    const operations = (await operationsOf(first)).length
    const doubleCrashes = function* (): Iterable<Case> {
      for (let seed = 1; seed <= 150; seed++) {
        const random = seededRandom(seed)
        const crashes = Array.from({ length: randomInteger(random, 2, 4) }, (_, index) => ({
          before: randomInteger(random, 1, index === 0 ? operations : randomInteger(random, 5, operations)),
          loss: LOSSES[randomInteger(random, 0, 2)] as Loss,
        }))
        const run = () =>
          live(input, (lived) => ({ settings, seed: lived === 0 ? 1 : seed * 100 + lived, crash: crashes[lived] }))
        yield { name: `crashes ${seed}`, run }
      }
    }
    const { cases, lives } = await runCases(FILE, doubleCrashes())
    say(`several crashes in a row, ${cases} cases, ${lives} processes, 0 wrong`)
  })
})
