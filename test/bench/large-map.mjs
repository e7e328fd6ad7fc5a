/**
 * One map of a million entries under one key, on the `leveldb` backend and a real LevelDB: what it costs to fill, read, go
 * over, write whole and clear. `node test/bench/large-map.mjs [entries]`, after a build; prints JSON.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'

const dist = (path) => import(`../../dist/src/${path}`)
const [{ levelStateBackend }, { classicStores }, { nodeFileSystem }, { MapStateDescriptor }, { silentLogger }] =
  await Promise.all([
    dist('state/level/level-state-backend.js'),
    dist('state/level/classic-stores.js'),
    dist('base/node-file-system.js'),
    dist('state/descriptors.js'),
    dist('base/logger.js'),
  ])

const ENTRIES = Number(process.argv[2] ?? 1_000_000)
const CACHE_BYTES = 32 * 1024 * 1024
const WHOLE = { first: 0, last: 127 }
const MAP = new MapStateDescriptor('m')
const clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(delayMs, fired) {
    const timer = setTimeout(fired, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
}
const folder = mkdtempSync(join(tmpdir(), 'millrace-large-map-'))
const files = nodeFileSystem()
const value = (i) => ({ count: i, name: `entry ${i % 1000}` })
const turn = () => new Promise((resolve) => setImmediate(resolve))
const figures = { entries: ENTRIES }

/** Keeps what is appended, as a file would. */
function target(kept) {
  return {
    open(scope = 'own') {
      const pieces = []
      const identity = { checkpointId: 1, operatorId: '0'.repeat(32), subtask: 0, kind: 'keyed', keyGroups: WHOLE }
      return {
        append: async (bytes) => {
          pieces.push(bytes.slice())
          await turn()
        },
        finish: async () => {
          const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
          const path = `${scope}-${kept.length}`
          kept.push({ path, length, pieces })
          const file = { identity, path, length, sha256: '0'.repeat(64) }
          return scope === 'own' ? { type: 'file', ...file } : { type: 'shared', epoch: 1, ...file }
        },
        abandon: async () => {},
      }
    },
  }
}

let paused
function open(name) {
  return levelStateBackend({
    maxParallelism: 128,
    keyGroups: WHOLE,
    clock,
    turns: { next: (goOn) => void setImmediate(goOn) },
    stores: classicStores(files),
    files,
    logger: silentLogger,
    folder: join(folder, name),
    cacheBytes: CACHE_BYTES,
    incremental: true,
    keepsKeys: false,
    pause(settled) {
      paused = settled
    },
    failed(cause) {
      throw cause
    },
  })
}

async function snapshot(backend, id, format) {
  const kept = []
  const frozen = backend.freeze(id, format)
  while (!frozen.step(1000)) await turn()
  const handle = await frozen.write(target(kept))
  frozen.release()
  return { handle, kept, bytes: kept.reduce((sum, { length }) => sum + length, 0) }
}

/** Seconds, and the longest time for which nothing else could run. */
async function timed(name, act) {
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  const startMs = performance.now()
  const result = await act()
  figures[name] = { seconds: round((performance.now() - startMs) / 1000) }
  await turn()
  delay.disable()
  figures[name].longestBlockMs = round(delay.max / 1e6)
  return result
}

function memoryMb() {
  globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  return { rss: round(rss / 1e6), heap: round(heapUsed / 1e6) }
}

const round = (number) => Math.round(number * 100) / 100

const backend = open('one')
const map = backend.getMapState(MAP)
const use = async (count, act) => {
  for (let i = 0; i < count; i++) {
    backend.setCurrentKey('one')
    act(i)
    if (i % 1000 === 999) {
      await turn()
      await paused
      paused = undefined
    }
  }
}
const anyKey = (i) => `user ${(i * 7919) % ENTRIES}`

await timed('set', () => use(ENTRIES, (i) => map.set(`user ${i}`, value(i))))
figures.memoryAfterSet = memoryMb()
await timed('first checkpoint', async () => {
  const { bytes } = await snapshot(backend, 1, 'checkpoint')
  figures.firstCheckpointBytes = bytes
})
backend.checkpointCompleted(1)
await use(1, () => map.set('user 500', value(-1)))
await timed('checkpoint of one changed entry', async () => {
  const { kept } = await snapshot(backend, 2, 'checkpoint')
  figures.changedEntryBytes = kept.map(({ path, length }) => [path, length])
})
backend.checkpointCompleted(2)
await timed('100,000 random gets', () => use(100_000, (i) => map.get(anyKey(i))))
await timed('100,000 random sets', () => use(100_000, (i) => map.set(anyKey(i), value(i))))
const before = memoryMb()
let seen = 0
let mostRss = 0
await timed('iterate', async () => {
  backend.setCurrentKey('one')
  for (const _ of map) if (++seen % 50_000 === 0) mostRss = Math.max(mostRss, process.memoryUsage().rss / 1e6)
})
figures.iterated = { seen, before, after: memoryMb(), mostRss: round(mostRss) }
let savepoint
await timed('canonical savepoint', async () => {
  savepoint = await snapshot(backend, 3, 'canonical')
})
figures.canonicalBytes = savepoint.bytes
figures.memoryAfterSavepoint = memoryMb()
await timed('clear', async () => {
  backend.setCurrentKey('one')
  map.clear()
})
await timed('first second behind the clear', () => new Promise((resolve) => setTimeout(resolve, 1000)))
await backend.close()

const restored = open('two')
const reader = {
  read: async (handle) => Buffer.concat(savepoint.kept.find(({ path }) => path === handle.path).pieces),
  async scan(handle, take) {
    const { pieces, length } = savepoint.kept.find(({ path }) => path === handle.path)
    for (const piece of pieces) await take(piece, length)
  },
}
await timed('restore of the savepoint', () =>
  restored.restore([{ keyGroups: WHOLE, handle: savepoint.handle, reader }]),
)
figures.memoryAfterRestore = memoryMb()
restored.setCurrentKey('one')
await timed('first get behind the restore', async () => {
  figures.found = restored.getMapState(MAP).get('user 500')
})
await restored.close()
rmSync(folder, { recursive: true, force: true })
console.log(JSON.stringify(figures, undefined, 2))
