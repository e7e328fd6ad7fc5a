/** Keys and values of parts as they stand in a store, in memory that many of them share. */
import type { StoreOperation } from '../../base/ordered-store.ts'
import { ByteWriter } from '../../elements/byte-writer.ts'
import { ByteArena } from './byte-arena.ts'
import { writeStoreKey } from './store-key.ts'

export class PartWriter {
  readonly #scratch = new ByteWriter(1024)
  readonly #arena = new ByteArena()

  /** Under which a part lies. */
  key(table: number, key: string): Uint8Array {
    this.#beginKey(table, key)
    return this.#taken()
  }

  /** The same with what is written behind the number of its schema. */
  operation(table: number, key: string, schema: number, write: (out: ByteWriter) => void): StoreOperation {
    const out = this.#scratch
    this.#beginKey(table, key)
    const keyLength = out.length
    out.uint8(schema)
    write(out)
    const bytes = this.#taken()
    return { key: bytes.subarray(0, keyLength), value: bytes.subarray(keyLength) }
  }

  #beginKey(table: number, key: string): void {
    this.#scratch.length = 0
    // The key says itself which key group it belongs to.
    writeStoreKey(this.#scratch, table, key, 1)
  }

  #taken(): Uint8Array {
    const { bytes, length } = this.#scratch
    const taken = this.#arena.take(length)
    taken.set(bytes.subarray(0, length))
    return taken
  }
}
