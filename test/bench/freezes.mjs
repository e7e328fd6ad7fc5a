/** How long the freezes of keyed state take, and the longest step of serialising behind each: no event of a job says it. */
const parts = { maxParallelism: 128, keyGroups: { first: 0, last: 127 }, clock: { now: () => 0, monotonic: () => 0 } }

/** Not reached through the public API: by the classes that hold the state of jobs. Until `end`, which gives all of them. */
export async function watchFreezes(backend = 'hashmap') {
  const prototype = Object.getPrototypeOf(await newBackend(backend))
  const { freeze } = prototype
  const steps = new StepWatch()
  const all = []
  prototype.freeze = function (...args) {
    const { result, ms, cpuMs } = timed(() => freeze.apply(this, args))
    const entry = { ms, cpuMs, stepMs: 0 }
    all.push(entry)
    steps.watch(result, entry)
    return result
  }
  return {
    end() {
      prototype.freeze = freeze
      steps.end()
      return all
    },
  }
}

/** Never used: nothing of it is opened. */
async function newBackend(backend) {
  if (backend === 'hashmap') {
    const { memoryStateBackend } = await import('../../dist/src/state/memory/memory-state-backend.js')
    return memoryStateBackend(parts)
  }
  const { levelStateBackend } = await import('../../dist/src/state/level/level-state-backend.js')
  return levelStateBackend({ ...parts, stores: {}, cacheBytes: 0, incremental: true, keepsKeys: false })
}

/**
 * By the class of the snapshots: an object of its own with another method would make the code that it meets slower. Only by
 * the clock: there are thousands of steps, and looking at the processor time takes longer than many of them.
 */
class StepWatch {
  #entries = new WeakMap()
  /** By prototype, the method that was there. */
  #former = new Map()

  watch(frozen, entry) {
    this.#entries.set(frozen, entry)
    const prototype = Object.getPrototypeOf(frozen)
    if (this.#former.has(prototype)) return
    const { step } = prototype
    const entries = this.#entries
    this.#former.set(prototype, step)
    prototype.step = function (budget) {
      const startMs = performance.now()
      const done = step.call(this, budget)
      const entry = entries.get(this)
      if (entry !== undefined) entry.stepMs = Math.max(entry.stepMs, performance.now() - startMs)
      return done
    }
  }

  end() {
    for (const [prototype, step] of this.#former) prototype.step = step
  }
}

/** Processor time is that of all threads, so it may be more than that of this one. */
function timed(work) {
  const startMs = performance.now()
  const start = process.cpuUsage()
  const result = work()
  const { user, system } = process.cpuUsage(start)
  const ms = performance.now() - startMs
  return { result, ms, cpuMs: Math.min(ms, (user + system) / 1000) }
}
