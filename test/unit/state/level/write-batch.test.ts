/** A batch gives back what was put into it, the newest of each key, and counts all that it keeps. */
import { describe, expect, it } from 'vitest'
import type { StoreOperation } from '../../../../src/base/ordered-store.ts'
import { WriteBatch } from '../../../../src/state/level/write-batch.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)
const plain = ({ key, value }: StoreOperation) => [[...key], value === undefined ? undefined : [...value]]

describe('A batch of operations', () => {
  it('finds the newest operation on a key of a table, and nothing of another table', () => {
    const batch = new WriteBatch()
    batch.put(1, 'a', { key: bytes(1, 1), value: bytes(7) })
    batch.put(2, 'a', { key: bytes(2, 1), value: bytes() })
    batch.put(1, 'a', { key: bytes(1, 1), value: undefined })
    expect(plain(batch.find(1, 'a') as StoreOperation)).toEqual([[1, 1], undefined])
    expect(plain(batch.find(2, 'a') as StoreOperation)).toEqual([[2, 1], []])
    expect(batch.find(3, 'a')).toBeUndefined()
    expect(batch.find(1, 'b')).toBeUndefined()
    expect(batch.size).toBe(2)
  })

  it('gives each key once, by table', () => {
    const batch = new WriteBatch()
    for (const round of [1, 2])
      for (const key of [1, 2, 3]) batch.put(key % 2, key, { key: bytes(key), value: bytes(round) })
    expect([...batch.operations()].map(plain)).toEqual([
      [[2], [2]],
      [[1], [2]],
      [[3], [2]],
    ])
    expect([...batch.operationsOf(1)].map(plain)).toEqual([
      [[1], [2]],
      [[3], [2]],
    ])
  })

  it('copies what it is given, and what it gave stays as it was when more is put', () => {
    const batch = new WriteBatch()
    const scratch = bytes(1, 2)
    batch.put(0, 'a', { key: scratch, value: scratch })
    const found = batch.find(0, 'a') as StoreOperation
    scratch.fill(9)
    for (let i = 0; i < 1000; i++) batch.put(0, i, { key: bytes(i & 0xff), value: new Uint8Array(100) })
    batch.put(0, 'a', { key: bytes(1, 2), value: bytes(3) })
    expect(plain(found)).toEqual([
      [1, 2],
      [1, 2],
    ])
  })

  it('counts the bytes of a key that is put again and again, since it keeps them all', () => {
    const batch = new WriteBatch()
    batch.put(0, 'a', { key: bytes(1), value: new Uint8Array(1000) })
    const once = batch.bytes
    batch.put(0, 'a', { key: bytes(1), value: new Uint8Array(1000) })
    expect(batch.size).toBe(1)
    expect(batch.bytes).toBe(2 * once)
    expect(once).toBeGreaterThan(1000)
  })
})
