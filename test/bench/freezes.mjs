/** How long the freezes of keyed state take, and the longest step of serialising behind each: no event of a job says it. */
const parts = { maxParallelism: 128, keyGroups: { first: 0, last: 127 }, clock: { now: () => 0, monotonic: () => 0 } }

/** Not reached through the public API: by the class that makes the state of jobs. Until `end`, which gives all of them. */
export async function watchFreezes(backend = 'hashmap') {
  const prototype = Object.getPrototypeOf(await newBackend(backend))
  const { freeze } = prototype
  const all = []
  prototype.freeze = function (...args) {
    const taken = timed(() => freeze.apply(this, args))
    const entry = { ms: taken.ms, cpuMs: taken.cpuMs, stepMs: 0, stepCpuMs: 0 }
    all.push(entry)
    watchSteps(taken.result, entry)
    return taken.result
  }
  return {
    end() {
      prototype.freeze = freeze
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

function watchSteps(frozen, entry) {
  const { step } = frozen
  frozen.step = (budget) => {
    const { result, ms, cpuMs } = timed(() => step.call(frozen, budget))
    entry.stepMs = Math.max(entry.stepMs, ms)
    entry.stepCpuMs = Math.max(entry.stepCpuMs, cpuMs)
    return result
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
