/** The failure that Flink's command line reads: the bytes of a Java object. */
import { describe, expect, it } from 'vitest'
import { failureObject } from '../../../src/rest/failure-object.ts'
import { serializedThrowable } from '../../../src/rest/serialized-throwable.ts'
import { recorded } from './routes/operations-fixture.ts'

/** Two bytes of length, then the text, as Java writes a string. */
function javaString(bytes: readonly number[]): Buffer {
  return Buffer.from([0x74, bytes.length >> 8, bytes.length & 0xff, ...bytes])
}
const ascii = (text: string) => javaString([...Buffer.from(text, 'ascii')])

const plain = { className: 'java.io.IOException', message: 'disk is full' }
const PREFIX = 377

describe('A serialized throwable', () => {
  it('begins with the classes as a real Flink writes them', () => {
    const { body } = recorded('async', 'savepoint-unknown-job-completed')
    const real = Buffer.from(body.operation['failure-cause']['serialized-throwable'], 'base64')
    expect(real.length).toBeGreaterThan(PREFIX)
    expect(Buffer.from(serializedThrowable(plain)).subarray(0, PREFIX)).toEqual(real.subarray(0, PREFIX))
  })

  it('holds message, stack trace and class behind them, and neither a cause nor an original', () => {
    const rest = Buffer.from(serializedThrowable(plain)).subarray(PREFIX)
    expect(rest).toEqual(
      Buffer.concat([
        Buffer.of(0x70),
        ascii('disk is full'),
        Buffer.of(0x70, 0x70, 0x78),
        ascii('java.io.IOException: disk is full\n'),
        ascii('java.io.IOException'),
        Buffer.of(0x70),
      ]),
    )
  })

  it('holds its cause as an object of the class that the stream knows by then', () => {
    const bytes = Buffer.from(serializedThrowable({ className: 'A', message: 'a', cause: plain }))
    expect(bytes.subarray(PREFIX, PREFIX + 7)).toEqual(Buffer.from('7371007e000070', 'hex'))
    expect(bytes.subarray(PREFIX).includes(ascii('A: a\nCaused by: java.io.IOException: disk is full\n'))).toBe(true)
  })

  it('writes NUL and what lies beyond 16 bits as Java does', () => {
    const bytes = Buffer.from(serializedThrowable({ className: 'A', message: '\0é𝄞' }))
    const expected = javaString([0xc0, 0x80, 0xc3, 0xa9, 0xed, 0xa0, 0xb4, 0xed, 0xb4, 0x9e])
    expect(bytes.subarray(PREFIX + 1, PREFIX + 1 + expected.length)).toEqual(expected)
  })

  it('writes a text of more than 65,535 bytes with a length of eight', () => {
    const message = 'x'.repeat(65_536)
    const bytes = Buffer.from(serializedThrowable({ className: 'A', message }))
    expect(bytes.subarray(PREFIX + 1, PREFIX + 11)).toEqual(Buffer.from('7c000000000001000078', 'hex'))
  })

  it('ends a chain of causes that does not end', () => {
    const round: { className: string; message: string; cause?: object } = { className: 'A', message: 'a' }
    round.cause = round
    expect(serializedThrowable(round as typeof plain).length).toBeLessThan(100_000)
  })
})

describe('A failure object', () => {
  it('has the three members that Flink has', () => {
    const failure = failureObject(plain)
    expect(Object.keys(failure)).toEqual(['class', 'stack-trace', 'serialized-throwable'])
    expect(failure.class).toBe('java.io.IOException')
    expect(failure['stack-trace']).toBe('java.io.IOException: disk is full\n')
    expect(Buffer.from(failure['serialized-throwable'], 'base64')).toEqual(Buffer.from(serializedThrowable(plain)))
  })
})
