import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteWriter } from '../../../src/elements/byte-writer.ts'
import { writeValue } from '../../../src/elements/value-writer.ts'
import {
  decodeOperatorState,
  encodeOperatorState,
  type StoredOperatorState,
} from '../../../src/state/operator-state-format.ts'

/** As the format is described: one value of the default serializer behind a head. */
function plainly(states: readonly StoredOperatorState[]): Uint8Array {
  const content = new ByteWriter(16)
  writeValue(content, states)
  const bytes = content.take()
  const out = new ByteWriter(16)
  out.uint32(0x534f_524d)
  out.uint16(1)
  out.uint32(bytes.length)
  out.uint32(crc32(bytes))
  out.raw(bytes)
  return out.take()
}

const text = fc.string({ unit: 'binary', maxLength: 80 })
const element = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  // A part of a larger one.
  fc.uint8Array({ minLength: 4, maxLength: 20 }).map((bytes) => bytes.subarray(1, 3)),
)
const state = fc.record({
  name: text,
  mode: fc.constantFrom('split' as const, 'union' as const, 'broadcast' as const),
  serializer: fc.record({ id: text, version: fc.nat() }),
  elements: fc.array(element, { maxLength: 20 }),
})
const withElement = (given: unknown): readonly StoredOperatorState[] => [
  { name: 'splits', mode: 'split', serializer: { id: 'mine', version: 1 }, elements: [given as Uint8Array] },
]

describe('The bytes of operator state', () => {
  test('are those of the default serializer, and come back', () => {
    fc.assert(
      fc.property(fc.array(state, { maxLength: 4 }), (states) => {
        const plain = states.map(({ name, mode, serializer: { id, version }, elements }) => ({
          name,
          mode,
          serializer: { id, version },
          elements,
        }))
        const bytes = encodeOperatorState(states)
        expect(Buffer.from(bytes).equals(plainly(plain))).toBe(true)
        expect(decodeOperatorState(bytes)).toEqual(plain)
      }),
      { numRuns: 500, seed: 3 },
    )
  })

  test.each([
    ['undefined', undefined],
    ['object', null],
    ['object', Promise.resolve(new Uint8Array(1))],
    ['string', 'bytes'],
    ['object', new Uint16Array(2)],
    ['shared', new Uint8Array(new SharedArrayBuffer(4))],
    ['of variable length', new Uint8Array(Reflect.construct(ArrayBuffer, [4, { maxByteLength: 8 }]) as ArrayBuffer)],
    ['gone', detached()],
  ])('are refused where a serializer returns what is no steady array of bytes: %s', (what, given) => {
    const encode = () => encodeOperatorState(withElement(given))
    expect(encode).toThrow(
      expect.objectContaining({ code: 'NOT_SERIALIZABLE', message: expect.stringContaining(what) }),
    )
    expect(encode).toThrow(/'mine' of operator state 'splits'/)
  })

  test('leave out what an array of bytes holds beside its bytes', () => {
    const [back] = decodeOperatorState(
      encodeOperatorState(withElement(Object.assign(Uint8Array.of(1, 2), { name: 3 }))),
    )
    expect(back?.elements).toEqual([Uint8Array.of(1, 2)])
  })
})

function detached(): Uint8Array {
  const bytes = new Uint8Array(4)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  return bytes
}
