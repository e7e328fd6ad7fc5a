/**
 * Counts the different keys among those of one table in one key group: a snapshot that was taken while records went on
 * may hold an entry twice. A set of texts would take many times the bytes of the keys.
 */
import { ByteWriter } from '../../elements/byte-writer.ts'

const FIRST_SLOTS = 64
/** Stands before each key in the arena: its hash and its length. */
const HEAD_BYTES = 8

export class DistinctKeys {
  /** How many were added that were not there. */
  count = 0
  readonly #arena = new ByteWriter(256)
  /** Places in the arena, plus one; 0 is free. Never more than half full. */
  #slots = new Uint32Array(FIRST_SLOTS)

  /** Whether it was not there. The bytes are copied. */
  add(key: Uint8Array): boolean {
    const hash = hashOf(key)
    const slot = this.#slotOf(key, hash)
    if (this.#slots[slot] !== 0) return false
    const place = this.#arena.length
    this.#arena.uint32(hash)
    this.#arena.uint32(key.length)
    this.#arena.raw(key)
    this.#slots[slot] = place + 1
    if (++this.count * 2 > this.#slots.length) this.#grow()
    return true
  }

  #slotOf(key: Uint8Array, hash: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = hash & mask
    while (slots[slot] !== 0 && !this.#holds((slots[slot] as number) - 1, key, hash)) slot = (slot + 1) & mask
    return slot
  }

  #holds(place: number, key: Uint8Array, hash: number): boolean {
    const { view, bytes } = this.#arena
    if (view.getUint32(place, true) !== hash || view.getUint32(place + 4, true) !== key.length) return false
    const start = place + HEAD_BYTES
    for (let i = 0; i < key.length; i++) if (bytes[start + i] !== key[i]) return false
    return true
  }

  #grow(): void {
    const former = this.#slots
    const slots = new Uint32Array(former.length * 2)
    const mask = slots.length - 1
    for (const entry of former) {
      if (entry === 0) continue
      let slot = this.#arena.view.getUint32(entry - 1, true) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = entry
    }
    this.#slots = slots
  }
}

/** FNV-1a, 32 bits, its halves mixed: slots are its lower bits. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c_9dc5
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x0100_0193)
  return (hash ^ (hash >>> 15)) >>> 0
}
