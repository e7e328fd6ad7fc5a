/** Keyed state of a backend without a job around it: keys are written and read as fast as it goes, checkpoints taken in between. */
import { createHash } from 'node:crypto'

const keyGroups = { first: 0, last: 127 }
/** As a job does: the event loop has its turn between so many keys, and steps of a snapshot are so long. */
const KEYS_PER_TURN = 512
const ENTRIES_PER_STEP = 200

export const keyAt = (i) => `k${String(i).padStart(8, '0')}`
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

/** Not reached through the public API: no job can be told when to take a checkpoint. */
export async function openDriver({ backend, cacheBytes, folder, shelf, valueBytes }) {
  const driver = new Driver(shelf, valueBytes)
  await driver.open(backend, cacheBytes, folder)
  return driver
}

class Driver {
  #shelf
  #suffix
  #backend
  #state
  #waiting
  #checkpoints = 0
  #failure

  constructor(shelf, valueBytes) {
    this.#shelf = shelf
    this.#suffix = 'v'.repeat(Math.max(0, valueBytes - 20))
  }

  async open(backend, cacheBytes, folder) {
    const { ValueStateDescriptor } = await import('millrace')
    this.#backend = await newBackend(backend, {
      cacheBytes,
      folder,
      pause: (settled) => {
        this.#waiting = settled
      },
      failed: (cause) => {
        this.#failure = cause
      },
    })
    this.declare = () => {
      this.#state = this.#backend.getState(new ValueStateDescriptor('value'))
    }
  }

  /** Calls `visit(i)` for `count` keys, as fast as the backend lets it. */
  async forEach(count, keyOf, visit) {
    for (let i = 0; i < count; i++) {
      if (i % KEYS_PER_TURN === 0) await this.#turn()
      this.#backend.setCurrentKey(keyAt(keyOf(i)))
      visit(i)
    }
  }

  read = () => this.#state.value()

  /** Each a string of its own, of the length asked for. */
  update = (i) => this.#state.update(`${String(i).padStart(20, '0')}${this.#suffix}`)

  /** A complete checkpoint: its handle, bytes, and what it took. */
  async checkpoint() {
    const checkpointId = ++this.#checkpoints
    const startMs = performance.now()
    const cpu = process.cpuUsage()
    const frozen = this.#backend.freeze(checkpointId)
    const freezeCpuMs = cpuMsSince(cpu)
    const freezeMs = performance.now() - startMs
    while (!frozen.step(ENTRIES_PER_STEP)) await this.#turn()
    const target = this.#shelf.target(checkpointId, keyGroups)
    const handle = await frozen.write(target)
    frozen.release()
    this.#backend.checkpointCompleted(checkpointId)
    const ms = performance.now() - startMs
    return { handle, bytes: target.bytes, freezeMs, freezeCpuMs, ms, cpuMs: cpuMsSince(cpu) }
  }

  async restore(handle) {
    await this.#backend.restore([{ handle, keyGroups, reader: this.#shelf, mayReuse: true }])
  }

  async close() {
    await this.#backend.close()
  }

  async #turn() {
    await nextTurn()
    await this.#waiting
    this.#waiting = undefined
    if (this.#failure !== undefined) throw this.#failure
  }
}

function cpuMsSince(before) {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

async function newBackend(backend, options) {
  const [{ systemPorts }, memory] = await Promise.all([
    import('../../dist/src/base/system-ports.js'),
    import('../../dist/src/state/memory/memory-state-backend.js'),
  ])
  const { clock, turns, files, logger } = systemPorts()
  const parts = { maxParallelism: 128, keyGroups, clock }
  if (backend === 'hashmap') return memory.memoryStateBackend({ ...parts, turns })
  const { levelStateBackend } = await import('../../dist/src/state/level/level-state-backend.js')
  const { classicStores } = await import('../../dist/src/state/level/classic-stores.js')
  const stores = classicStores(files)
  return levelStateBackend({ ...parts, ...options, stores, files, logger, incremental: true, keepsKeys: false })
}

/** The numbers below `below` in an order that has nothing to do with theirs: the same in every run. */
export function scattered(below, seed) {
  let place = createHash('sha256').update(seed).digest().readUInt32LE(0)
  return () => {
    place = (Math.imul(place, 1664525) + 1013904223) >>> 0
    return Math.floor((place / 2 ** 32) * below)
  }
}
