/**
 * What keyed state costs: codec, updates, snapshots of a million keys while records go on. Prints one line a figure.
 * Run it alone: `node --conditions=millrace-source --experimental-strip-types test/bench/state.bench.ts`.
 */
import { ByteReader } from '../../src/elements/byte-reader.ts'
import { ByteWriter } from '../../src/elements/byte-writer.ts'
import { readValue } from '../../src/elements/value-reader.ts'
import { writeValue } from '../../src/elements/value-writer.ts'
import { ValueStateDescriptor } from '../../src/state/descriptors.ts'
import { keyGroupOf, keyGroupRangeOf } from '../../src/state/key-groups.ts'
import { memoryStateBackend } from '../../src/state/memory/memory-state-backend.ts'

const KEYS = 1_000_000
const print = (what: string, figure: number, unit: string) =>
  console.log(`${what.padEnd(64)} ${figure.toFixed(figure < 10 ? 2 : 1)} ${unit}`)

function perCall(what: string, rounds: number, call: (round: number) => void): void {
  for (let i = 0; i < rounds / 4; i++) call(i)
  const started = performance.now()
  for (let i = 0; i < rounds; i++) call(i)
  print(what, ((performance.now() - started) * 1e6) / rounds, 'ns')
}

const values = Array.from({ length: 1024 }, (_, i) => ({ key: `user-${i}`, count: i * 3 }))
const out = new ByteWriter(1 << 16)
perCall('encode { key, count }', 5_000_000, (i) => {
  if (out.length > 60_000) out.length = 0
  writeValue(out, values[i & 1023])
})
perCall('encode a number', 5_000_000, (i) => {
  if (out.length > 60_000) out.length = 0
  writeValue(out, i)
})
out.length = 0
for (const value of values) writeValue(out, value)
const bytes = out.take()
let input = new ByteReader(bytes)
perCall('decode { key, count }', 2_000_000, () => {
  if (input.remaining === 0) input = new ByteReader(bytes)
  readValue(input)
})
const keys = Array.from({ length: KEYS }, (_, i) => `user-${i}`)
perCall('key group of a short string', 5_000_000, (i) => void keyGroupOf(keys[i & 0xffff], 128))

const options = { maxParallelism: 128, keyGroups: keyGroupRangeOf(128, 1, 0) }
const backend = memoryStateBackend(options)
const state = backend.getState(new ValueStateDescriptor<{ count: number; sum: number }>('sums'))
for (let i = 0; i < KEYS; i++) {
  backend.setCurrentKey(keys[i])
  state.update({ count: 1, sum: i })
}
let random = 1
const next = (below: number) => {
  random = (Math.imul(random, 1664525) + 1013904223) >>> 0
  return random % below
}
const update = (below: number) => {
  backend.setCurrentKey(keys[next(below)])
  const before = state.value()
  state.update({ count: (before?.count ?? 0) + 1, sum: before?.sum ?? 0 })
}
perCall('read and update, 1,000 keys', 3_000_000, () => update(1_000))
perCall('read and update, 100,000 keys', 3_000_000, () => update(100_000))
perCall('read and update, 1,000,000 keys', 3_000_000, () => update(KEYS))

for (const budget of [500, 5_000]) {
  let started = performance.now()
  const frozen = backend.freeze(1)
  print(`freeze, 1,000,000 keys (budget ${budget})`, performance.now() - started, 'ms')
  let walkedMs = 0
  let longestMs = 0
  let updatedMs = 0
  let updates = 0
  for (let done = false; !done; ) {
    started = performance.now()
    done = frozen.step(budget)
    const tookMs = performance.now() - started
    walkedMs += tookMs
    longestMs = Math.max(longestMs, tookMs)
    started = performance.now()
    for (let i = 0; i < 1000; i++) update(KEYS)
    updatedMs += performance.now() - started
    updates += 1000
  }
  print('  walk, per entry', (walkedMs * 1e6) / KEYS, 'ns')
  print('  walk in all', walkedMs, 'ms')
  print('  longest slice', longestMs, 'ms')
  print(`  update while it walks (${updates})`, (updatedMs * 1e6) / updates, 'ns')
  let length = 0
  started = performance.now()
  const chunks: Uint8Array[] = []
  for (const chunk of frozen.payload()) {
    chunks.push(chunk)
    length += chunk.length
  }
  print(`  payload of ${(length / 1e6).toFixed(1)} MB`, performance.now() - started, 'ms')
  frozen.release()
  started = performance.now()
  const restored = memoryStateBackend(options)
  restored.restore([{ bytes: Buffer.concat(chunks), keyGroups: options.keyGroups }])
  restored.getState(new ValueStateDescriptor('sums'))
  print('  restore', performance.now() - started, 'ms')
}
