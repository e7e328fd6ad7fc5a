#!/usr/bin/env node
/**
 * node test/bench/level-state.mjs [upload] [restore] [memory] [--keys n] [--value-bytes n] [--cache-size-mb n] [--backend hashmap|leveldb]
 * What no workload shows of a backend: the bytes of a checkpoint when one key in a hundred has changed, the time of a restore
 * from a local folder, and the memory that much state takes. One JSON line a figure. Build first: `npm run build`.
 *   upload, restore   1 M keys with values of 100 bytes, cache of 256 MB
 *   memory            10 M keys, cache of 64 MB
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { keyAt, openDriver, scattered } from './level-driver.mjs'
import { newShelf } from './level-shelf.mjs'
import { median, watchMemory } from './measure.mjs'

const text = { type: 'string' }
const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    keys: text,
    'value-bytes': { ...text, default: '100' },
    'cache-size-mb': text,
    backend: { ...text, default: 'leveldb' },
  },
})
const figures = { upload, restore, memory }
const CHECKPOINTS = 40
const CHANGED_PART = 0.01
const UPDATES = 2_000_000
let drivers = 0

const valueBytes = Number(flags['value-bytes'])
const sizes = (keys, cacheMb) => ({
  backend: flags.backend,
  keys: Number(flags.keys ?? keys),
  valueBytes,
  cacheMb: Number(flags['cache-size-mb'] ?? cacheMb),
})
const round = (value, digits = 1) => (value === undefined ? undefined : Number(value.toFixed(digits)))
const mb = (bytes) => round(bytes / 1e6, 2)

for (const name of positionals.length > 0 ? positionals : Object.keys(figures)) {
  const figure = figures[name]
  if (figure === undefined) throw new Error(`no such figure: ${name}; there are ${Object.keys(figures).join(', ')}`)
  const folder = mkdtempSync(join(tmpdir(), 'millrace-level-'))
  try {
    console.log(JSON.stringify({ figure: name, ...(await figure(folder)) }))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A checkpoint behind each change of one key in a hundred. */
async function upload(folder) {
  const size = sizes(1_000_000, 256)
  const driver = await filled(size, await newShelf(folder), folder)
  const first = await driver.checkpoint()
  const changed = Math.floor(size.keys * CHANGED_PART)
  const taken = []
  for (let round = 0; round < CHECKPOINTS; round++) {
    await driver.forEach(changed, scattered(size.keys, `changed ${round}`), driver.update)
    taken.push(await driver.checkpoint())
  }
  await driver.close()
  return { ...size, ...uploadFigures(first, taken, changed) }
}

function uploadFigures(first, taken, changed) {
  // As they stand in an entry: a tag in front of a short text, a tag and a length in front of a long one.
  const changedBytes = changed * (keyAt(0).length + 1 + valueBytes + 2)
  // A whole checkpoint is many times what has changed, a delta little more than it.
  const bases = taken.filter(({ bytes }) => bytes > changedBytes * 4)
  const deltas = taken.filter(({ bytes }) => bytes <= changedBytes * 4)
  const baseBytes = bases.reduce((sum, { bytes }) => sum + bytes, 0)
  return {
    changedKeys: changed,
    changedMb: mb(changedBytes),
    checkpoints: taken.length,
    firstMb: mb(first.bytes),
    deltas: deltas.length,
    ...(deltas.length === 0
      ? {}
      : {
          deltaMb: mb(median(deltas.map(({ bytes }) => bytes))),
          deltaOfChanged: round(median(deltas.map(({ bytes }) => bytes)) / changedBytes, 3),
        }),
    newBases: bases.length,
    newBasesMb: mb(baseBytes),
    baseMbPerCheckpoint: mb(baseBytes / taken.length),
    ...costOf([first, ...taken]),
  }
}

function costOf(checkpoints) {
  const most = (what) => round(Math.max(...checkpoints.map((one) => one[what])), 2)
  const middle = (what) => round(median(checkpoints.map((one) => one[what])), 2)
  return {
    freezeMsMost: most('freezeMs'),
    freezeCpuMsMost: most('freezeCpuMs'),
    checkpointMs: middle('ms'),
    checkpointMsMost: most('ms'),
    checkpointCpuMs: middle('cpuMs'),
    checkpointCpuMsMost: most('cpuMs'),
  }
}

/** Of a base with sixteen deltas, and of one without. */
async function restore(folder) {
  const size = sizes(1_000_000, 256)
  const shelf = await newShelf(folder)
  const driver = await filled(size, shelf, folder)
  const base = await driver.checkpoint()
  let last = base
  for (let round = 0; round < 15; round++) {
    await driver.forEach(Math.floor(size.keys * CHANGED_PART), scattered(size.keys, `changed ${round}`), driver.update)
    last = await driver.checkpoint()
  }
  await driver.close()
  return {
    ...size,
    base: await restored(size, shelf, folder, base.handle),
    withDeltas: await restored(size, shelf, folder, last.handle),
  }
}

/** Until the first value is read. */
async function restored(size, shelf, folder, handle) {
  const driver = await opened(size, shelf, folder)
  const startMs = performance.now()
  const cpu = process.cpuUsage()
  await driver.restore(handle)
  driver.declare()
  await driver.forEach(1, () => 5, driver.read)
  const { user, system } = process.cpuUsage(cpu)
  const took = { ms: round(performance.now() - startMs), cpuMs: round((user + system) / 1000) }
  await driver.close()
  return took
}

/** Much state behind a small cache: written once, then read and written at random, then a checkpoint. */
async function memory(folder) {
  const size = sizes(10_000_000, 64)
  const watch = watchMemory()
  const filling = timed()
  const driver = await filled(size, await newShelf(folder), folder)
  const fill = filling(size.keys)
  const updating = timed()
  const next = scattered(size.keys, 'updated')
  await driver.forEach(UPDATES, next, (i) => {
    driver.read()
    driver.update(i)
  })
  const updates = updating(UPDATES)
  const first = await driver.checkpoint()
  await driver.forEach(size.keys * CHANGED_PART, scattered(size.keys, 'changed'), driver.update)
  const second = await driver.checkpoint()
  const { anonymousMb, mappedMb } = watch.end()
  await driver.close()
  return {
    ...size,
    anonymousMbMost: round(anonymousMb ?? undefined),
    mappedMbMost: round(mappedMb ?? undefined),
    fill,
    updates,
    first: { mb: mb(first.bytes), ...costOf([first]) },
    second: { mb: mb(second.bytes), ...costOf([second]) },
  }
}

function opened({ backend, cacheMb }, shelf, folder) {
  const own = join(folder, `scratch-${drivers++}`)
  mkdirSync(own)
  return openDriver({ backend, cacheBytes: cacheMb * 2 ** 20, folder: join(own, 'state'), shelf, valueBytes })
}

async function filled(size, shelf, folder) {
  const driver = await opened(size, shelf, folder)
  driver.declare()
  await driver.forEach(size.keys, (i) => i, driver.update)
  return driver
}

function timed() {
  const startMs = performance.now()
  const cpu = process.cpuUsage()
  return (count) => {
    const { user, system } = process.cpuUsage(cpu)
    return {
      perSecond: Math.round((count * 1000) / (performance.now() - startMs)),
      cpuNs: Math.round(((user + system) * 1000) / count),
    }
  }
}
