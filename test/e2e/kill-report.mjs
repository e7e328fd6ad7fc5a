/** What the kill test has seen, added up over all kills and jobs, and whether that was enough. */
import { CLASSES } from './classify.mjs'

/** Of 500 kills; of other numbers in proportion. */
const LEAST_OF_A_CLASS = 25
const LEAST_AFTER_CHECKPOINT = 0.8
/** Fewer kills need not fall everywhere. */
const ENOUGH_TO_SPREAD = 200

export class KillReport {
  kills = 0
  wrong = []
  jobs = { chain: 0, followed: 0 }
  #killsOf = { chain: 0, followed: 0 }
  #running = { chain: 0, followed: 0 }
  #afterCheckpoint = 0
  #places = Object.fromEntries(CLASSES.map((name) => [name, 0]))
  #details = {}
  #parts = {}
  #coverage = {}

  /** The job that has been killed less; as long as that is equal, the one of which fewer are running. */
  fewerKills() {
    const ahead = this.#killsOf.followed - this.#killsOf.chain || this.#running.followed - this.#running.chain
    return ahead > 0 ? 'chain' : 'followed'
  }

  begun(job) {
    this.#running[job]++
  }

  killed(job, { place, afterCheckpoint, detail }) {
    this.kills++
    this.#killsOf[job]++
    this.#places[place]++
    add(this.#details, { [`${place}: ${detail}`]: 1 })
    if (afterCheckpoint) this.#afterCheckpoint++
  }

  /** Without a verdict when a process ended that should not have. */
  ended(job, { verdict, coverage = {} }) {
    this.#running[job]--
    if (verdict === undefined) return
    this.jobs[job]++
    add(this.#coverage, coverage)
    const { exact, parts, examples, verifier, ...chain } = verdict
    for (const [name, counts] of Object.entries(parts ?? { chains: chain })) {
      this.#parts[name] ??= {}
      add(this.#parts[name], counts)
    }
  }

  /** By class and detail, rarest things included; one line each. */
  details() {
    return Object.entries(this.#details)
      .sort()
      .map(([what, times]) => `${String(times).padStart(5)}  ${what}`)
  }

  /** For each part of the outputs, what was expected and what was wrong. */
  parts() {
    return Object.entries(this.#parts).map(([name, counts]) => `${name.padEnd(9)}  ${JSON.stringify(counts)}`)
  }

  /** `inFlight`: some checkpoints must hold records in flight, and some lives must begin with them. */
  passed({ inFlight }) {
    if (inFlight && !(this.#coverage.livesBehindInFlight > 0)) return false
    return this.wrong.length === 0 && (this.#isSpread() || this.kills < ENOUGH_TO_SPREAD)
  }

  summary(seconds) {
    return {
      kills: this.kills,
      jobs: this.jobs.chain + this.jobs.followed,
      wrong: this.wrong.length,
      killsOf: this.#killsOf,
      jobsOf: this.jobs,
      places: this.#places,
      afterCheckpoint: round(this.#afterCheckpoint / this.kills, 3),
      spread: this.#isSpread(),
      coverage: this.#coverage,
      seconds: round(seconds, 1),
      killsPerSecond: round(this.kills / seconds, 2),
    }
  }

  #isSpread() {
    const share = (LEAST_OF_A_CLASS * this.kills) / 500
    // A chain job can be killed there once, at its end; one that is suspended cleans nothing up.
    const leastOf = (name) => (name === 'insideCleanUp' ? Math.min(share, this.jobs.chain / 5) : share)
    const enough = (name) => name === 'other' || this.#places[name] >= Math.floor(leastOf(name))
    return this.#afterCheckpoint / this.kills >= LEAST_AFTER_CHECKPOINT && CLASSES.every(enough)
  }
}

function add(sums, more) {
  for (const [name, value] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + value
}

function round(value, digits) {
  return Number(value.toFixed(digits))
}
