import { describe, expect, it } from 'vitest'
import { type Random, randomInteger, seededRandom } from '../../src/base/random.ts'
import type { Interference, SimulatedOperation } from '../../src/base/simulated-file-system.ts'
import { type Case, runCases, say } from './cases.ts'
import { Input, type JobSettings } from './kill-test-job.ts'
import { type Life, type Loss, live } from './lives.ts'
import type { Speed } from './simulated-world.ts'

const FILE = 'swarm.test.ts'
/** A sample: MILLRACE_SIMULATION_SEEDS=500 and more take minutes. */
const DEFAULT_SEEDS = 200
const LOSSES: readonly Loss[] = ['kill', 'posix', 'ordered']

/** What a seed picks: everything of it follows from the seed alone. */
class Plan {
  readonly input: Input
  readonly #random: Random
  readonly #seed: number
  readonly #lives: Life[] = []
  /** Of the processes before the last one. */
  readonly #disturbed: number
  readonly #rescales: boolean
  readonly #faults: { readonly fail: number; readonly delay: number; readonly userCode: number }
  readonly #speed: Speed
  readonly #job: JobSettings

  constructor(seed: number) {
    const random = seededRandom(seed)
    this.#random = random
    this.#seed = seed
    this.input = new Input({
      files: randomInteger(random, 1, 5),
      keysPerFile: randomInteger(random, 1, 6),
      linesPerFile: randomInteger(random, 0, 60),
    })
    this.#disturbed = randomInteger(random, 0, 4)
    const slowDisk = random.next() < 0.3 ? 10 : 1
    this.#speed = {
      turn: { least: 0.1, most: randomInteger(random, 1, 3) },
      disk: { least: 0.05 * slowDisk, most: 0.4 * slowDisk },
    }
    this.#rescales = random.next() < 0.3
    this.#faults = {
      fail: random.next() < 0.4 ? random.next() * 0.02 : 0,
      delay: random.next() < 0.5 ? random.next() * 0.1 : 0,
      userCode: random.next() < 0.4 ? random.next() * 0.02 : 0,
    }
    this.#job = {
      parallelism: randomInteger(random, 1, 4),
      maxParallelism: 16,
      link: random.next() < 0.5 ? 'direct' : 'cloned',
      rollAtBytes: random.next() < 0.3 ? randomInteger(random, 40, 400) : undefined,
      options: {
        'execution.checkpointing.interval': randomInteger(random, 10, 40),
        'execution.checkpointing.min-pause': random.next() < 0.3 ? randomInteger(random, 1, 20) : 0,
        'execution.checkpointing.timeout': random.next() < 0.3 ? randomInteger(random, 40, 120) : '10 min',
        'execution.checkpointing.max-concurrent-checkpoints': randomInteger(random, 1, 2),
        'execution.checkpointing.num-retained': randomInteger(random, 1, 3),
        'execution.checkpointing.tolerable-failed-checkpoints':
          random.next() < 0.5 ? 2 ** 31 - 1 : randomInteger(random, 0, 2),
        'execution.checkpointing.fail-tasks-on-errors': random.next() < 0.8,
        'execution.checkpointing.data-inline-threshold': random.next() < 0.6 ? 0 : 20_480,
        'execution.channel-credit': randomInteger(random, 1, 8),
        'pipeline.fixed-job-id': random.next() < 0.3 ? '0123456789abcdef0123456789abcdef' : undefined,
        'pipeline.operator-chaining.enabled': random.next() < 0.8,
      },
    }
  }

  life(lived: number): Life {
    while (this.#lives.length <= lived) this.#lives.push(this.#draw(this.#lives.length))
    return this.#lives[lived] as Life
  }

  #draw(lived: number): Life {
    const seed = this.#seed * 1000 + lived
    const speed = this.#speed
    const parallelism = this.#rescales && lived > 0 ? randomInteger(this.#random, 1, 4) : this.#job.parallelism
    const job = { ...this.#job, parallelism }
    // A checkpoint that takes longer than it may is a disturbance as well.
    if (lived >= this.#disturbed)
      return {
        settings: { ...job, options: { ...job.options, 'execution.checkpointing.timeout': '10 min' } },
        seed,
        speed,
      }
    const random = seededRandom(seed)
    const { userCode } = this.#faults
    const onRecord = () => {
      if (userCode > 0 && random.next() < userCode) throw new Error('thrown by the job, as the simulation wants it')
    }
    // Some come later than the job's end.
    const crash = { before: randomInteger(random, 1, 500), loss: LOSSES[randomInteger(random, 0, 2)] as Loss }
    return {
      settings: { ...job, onRecord },
      seed,
      speed,
      crash,
      suspendAfterMs: random.next() < 0.2 ? randomInteger(random, 1, 80) : undefined,
      interfere: (operation) => this.#interfere(operation, random),
      disturbed: true,
    }
  }

  #interfere(_operation: SimulatedOperation, random: Random): Interference | undefined {
    if (random.next() < this.#faults.fail) return { type: 'fail', code: random.next() < 0.5 ? 'EIO' : 'ENOSPC' }
    if (random.next() < this.#faults.delay) return { type: 'delay', delayMs: random.next() * 30 }
    return undefined
  }
}

describe('A swarm of jobs', () => {
  it('is exact, whatever each of them meets', { timeout: 24 * 60 * 60 * 1000 }, async () => {
    const seeds = Number(process.env.MILLRACE_SIMULATION_SEEDS ?? DEFAULT_SEEDS)
    const jobs = function* (): Iterable<Case> {
      for (let seed = 1; seed <= seeds; seed++) {
        const plan = new Plan(seed)
        yield { name: `seed ${seed}`, run: () => live(plan.input, (lived) => plan.life(lived)) }
      }
    }
    const { cases, lives, ends, restarts, checkpoints } = await runCases(FILE, jobs())
    say(
      `swarm of ${cases} seeds, ${lives} processes (${ends.died} died, ${ends.threw} failed or were suspended), ` +
        `${restarts} restarts, ${checkpoints} checkpoints, 0 wrong`,
    )
    // It must meet what it is there for.
    if (cases >= DEFAULT_SEEDS) expect(Math.min(ends.died, ends.threw, restarts, checkpoints)).toBeGreaterThan(10)
  })
})
