/** `millrace inspect` over what somebody made on purpose: right checksums, wrong contents. */
import { describe, expect, test } from 'vitest'
import { crc32 } from '../../../src/base/digest.ts'
import { frame } from '../../../src/checkpoint/frame.ts'
import { ByteWriter } from '../../../src/elements/byte-writer.ts'
import { ARRAY, MAP, OBJECT, SPARSE_ARRAY } from '../../../src/elements/value-tags.ts'
import { writeValue } from '../../../src/elements/value-writer.ts'
import { keyGroupOf } from '../../../src/state/key-groups.ts'
import { blobSeed, encodeBlobHeader, encodeKeyedHeader } from '../../../src/state/keyed-format.ts'
import { memoryDisk, millrace } from './checkpoint-on-disk.ts'

const ID = 'a'.repeat(32)
const LARGEST = 0xffff_ffff
const SERIALIZER = { id: 'millrace.value', version: 1 }

/** A folder with this `_metadata` and nothing else. */
async function inspected(metadata: Uint8Array, ...argv: string[]) {
  const { disk, files } = memoryDisk()
  disk.makeFolder('/evil')
  disk.append(disk.createFile('/evil/_metadata'), metadata)
  const before = disk.folder('/evil').live.size
  const shown = await millrace(files, 'inspect', '/evil', ...argv)
  expect(disk.folder('/evil').live.size).toBe(before)
  return shown
}

const metadataWith = (fields: object, operator: object = {}) =>
  frame('MLRCHKPT', 1, {
    jobId: ID,
    jobName: 'job',
    epoch: 1,
    checkpointId: 1,
    kind: 'checkpoint',
    timestamp: 0,
    operators: [{ operatorId: ID, name: 'o', parallelism: 1, maxParallelism: 128, subtasks: [], ...operator }],
    ...fields,
  })

const identity = { checkpointId: 1, operatorId: ID, subtask: 0, kind: 'keyed', keyGroups: { first: 0, last: 127 } }

const withKeyed = (payload: Uint8Array) =>
  metadataWith(
    {},
    {
      subtasks: [
        {
          index: 0,
          finished: false,
          keyed: { type: 'inline', identity, bytes: Buffer.from(payload).toString('base64') },
        },
      ],
    },
  )

interface Entry {
  readonly key: unknown
  readonly value: Uint8Array
  readonly tableId?: number
  readonly keyGroup?: number
}

/** One blob an entry. */
function payloadOf(kind: string, entries: readonly Entry[], maxParallelism = 128): Uint8Array {
  const parts = entries.map(({ key, value, tableId = 0, keyGroup = keyGroupOf(key, 128) }) => {
    const run = new ByteWriter(64)
    writeValue(run, key)
    run.bytesWithLength(value)
    const blob = new ByteWriter(64)
    blob.uint16(tableId)
    blob.uint32(run.length)
    blob.raw(run.take())
    const content = blob.take()
    return [encodeBlobHeader(keyGroup, content.length, crcOf(content, keyGroup)), content]
  })
  const header = encodeKeyedHeader({ maxParallelism, tables: [{ kind, name: 's', serializers: [SERIALIZER] }] })
  return new Uint8Array(Buffer.concat([header, ...parts.flat()]))
}

/** Of a blob begins with its key group, as if its two bytes stood in front. */
function crcOf(content: Uint8Array, keyGroup: number): number {
  expect(blobSeed(keyGroup)).toBe(crc32(Uint8Array.of(keyGroup & 0xff, keyGroup >>> 8)))
  return crc32(new Uint8Array([keyGroup & 0xff, keyGroup >>> 8, ...content]))
}

function bytes(write: (out: ByteWriter) => void): Uint8Array {
  const out = new ByteWriter(64)
  write(out)
  return out.take()
}

/** Two seconds are the limit of the whole command; here nothing is started. */
const QUICKLY = 2000

describe('Metadata', () => {
  test.each(['../../etc/passwd', '/etc/passwd', 'a/b', '..', '.', 'a\u0000b', ''])(
    'that names the file %j is refused',
    async (path) => {
      const keyed = { type: 'file', identity, path, length: 10, sha256: 'b'.repeat(64) }
      const metadata = metadataWith({}, { subtasks: [{ index: 0, finished: false, keyed }] })
      const { code, err } = await inspected(metadata)
      expect(code).toBe(1)
      expect(err).toMatch(/CHECKPOINT_DAMAGED: .*'\/evil\/_metadata' is damaged \(malformed\)/)
    },
    QUICKLY,
  )

  test(
    'whose head announces four gigabytes is cut',
    async () => {
      const metadata = metadataWith({})
      new DataView(metadata.buffer).setUint32(12, LARGEST)
      const { code, err } = await inspected(metadata)
      expect([code, err]).toEqual([1, expect.stringMatching(/'\/evil\/_metadata' is damaged \(cut\)/)])
    },
    QUICKLY,
  )

  test(
    'that nests a million deep is refused',
    async () => {
      const metadata = framedText('['.repeat(1_000_000))
      const { code, err } = await inspected(metadata)
      expect([code, err]).toEqual([1, expect.stringMatching(/nests more than 64 deep/)])
    },
    QUICKLY,
  )

  test.each<[object, RegExp]>([
    [
      { operators: [{ operatorId: ID, name: 'o', parallelism: 1e9, maxParallelism: 128, subtasks: [] }] },
      /parallelism/,
    ],
    [{ checkpointId: 2 ** 60 }, /checkpointId/],
    [{ operators: 3 }, /operators/],
    [{ jobId: '../..' }, /jobId/],
  ])('that says %j is refused', async (fields, what) => {
    const { code, err } = await inspected(metadataWith(fields))
    expect([code, err]).toEqual([1, expect.stringMatching(what)])
  })

  test('whose state is that of another operator is refused', async () => {
    const foreign = { ...identity, operatorId: 'b'.repeat(32) }
    const payload = payloadOf('value', [{ key: 'a', value: bytes((out) => writeValue(out, 1)) }])
    const keyed = { type: 'inline', identity: foreign, bytes: Buffer.from(payload).toString('base64') }
    const metadata = metadataWith({}, { subtasks: [{ index: 0, finished: false, keyed }] })
    for (const argv of [[], ['--state', 's'], ['--state', 's', '--key', 'a']]) {
      const { code, out, err } = await inspected(metadata, ...argv)
      expect([code, out]).toEqual([1, ''])
      expect(err).toMatch(/'\/evil\/_metadata' is damaged.*of another operator/)
    }
  })

  test('whose time is none is shown nevertheless', async () => {
    const { code, out } = await inspected(metadataWith({ timestamp: 1e300 }), '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ triggeredAt: null, triggeredAtMs: 1e300 })
  })

  test('whose names are escape sequences shows them as text', async () => {
    const jobName = '\u001b]0;owned\u0007\r\u202egnp.exe'
    for (const argv of [[], ['--json']]) {
      const { code, out } = await inspected(metadataWith({ jobName }), ...argv)
      expect(code).toBe(0)
      expect(out).toContain(
        '\\u001b]0;owned\\u0007\\u000d\\u202egnp.exe'.replace('\\u000d', argv.length > 0 ? '\\r' : '\\u000d'),
      )
      expect(out).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u)
    }
  })
})

describe('Keyed state', () => {
  const header = encodeKeyedHeader({ maxParallelism: 128, tables: [] })

  test.each<[string, Uint8Array, RegExp]>([
    ['that is no such thing', Uint8Array.of(1, 2, 3), /does not begin as keyed state does/],
    ['whose header announces four gigabytes', withUint32(header, 6, LARGEST), /header is cut off/],
    [
      'whose blob announces four gigabytes',
      new Uint8Array(Buffer.concat([header, encodeBlobHeader(3, LARGEST, 0)])),
      /key group 3 is cut off/,
    ],
    [
      'with an entry in the wrong key group',
      payloadOf('value', [{ key: 'a', value: bytes((out) => writeValue(out, 1)), keyGroup: 5 }]),
      /stands in key group 5 and belongs to/,
    ],
    [
      'of a table that nobody named',
      payloadOf('value', [{ key: 'a', value: bytes((out) => writeValue(out, 1)), tableId: 9 }]),
      /names a table that the header does not/,
    ],
    [
      'whose key is an object',
      payloadOf('value', [{ key: new Map(), value: bytes(() => {}), keyGroup: 0 }]),
      /no (entry|primitive)/,
    ],
    ['of another max parallelism', payloadOf('value', [], 64), /max parallelism 64, its operator has 128/],
  ])(
    '%s is refused with the name of the file',
    async (_, payload, what) => {
      const { code, out, err } = await inspected(withKeyed(payload))
      expect([code, out]).toEqual([1, ''])
      expect(err).toMatch(/^error STATE_CORRUPT: .*'\/evil\/_metadata'/)
      expect(err).toMatch(what)
    },
    QUICKLY,
  )

  test.each<[string, string, Uint8Array]>([
    ['a list', 'list', bytes((out) => out.varint(1e9))],
    ['a map', 'map', bytes((out) => out.varint(1e9))],
    [
      'an array',
      'value',
      bytes((out) => {
        out.uint8(ARRAY)
        out.varint(1e9)
      }),
    ],
    [
      'a Map',
      'value',
      bytes((out) => {
        out.uint8(MAP)
        out.varint(1e9)
      }),
    ],
  ])(
    'with %s that claims a billion entries is refused, and takes no memory',
    async (_, kind, value) => {
      const metadata = withKeyed(payloadOf(kind, [{ key: 'a', value }]))
      const before = memory()
      const { code, out, err } = await inspected(metadata, '--state', 's')
      expect(memory() - before).toBeLessThan(32 * 1024 * 1024)
      expect([code, out]).toEqual([1, ''])
      expect(err).toMatch(/NOT_DESERIALIZABLE: .*'\/evil\/_metadata'.*1000000000 bytes or elements are announced/)
    },
    QUICKLY,
  )

  test(
    'with an array of four billion holes is shown as the few elements that it has',
    async () => {
      const value = bytes((out) => {
        out.uint8(SPARSE_ARRAY)
        out.varint(LARGEST)
        writeValue(out, '5')
        writeValue(out, 'x')
        out.uint8(0)
      })
      const { code, out } = await inspected(withKeyed(payloadOf('value', [{ key: 'a', value }])), '--state', 's')
      expect(code).toBe(0)
      expect(JSON.parse(out).value).toEqual({ $array: { length: LARGEST, entries: [['5', 'x']] } })
    },
    QUICKLY,
  )

  test(
    'with a value that nests deeper than any is refused',
    async () => {
      const value = bytes((out) => {
        for (let depth = 0; depth < 100_000; depth++) {
          out.uint8(ARRAY)
          out.varint(1)
        }
      })
      const { code, err } = await inspected(withKeyed(payloadOf('value', [{ key: 'a', value }])), '--state', 's')
      expect([code, err]).toEqual([1, expect.stringMatching(/more than 1000 objects deep/)])
    },
    QUICKLY,
  )

  test('with a property named __proto__ pollutes nothing', async () => {
    const value = bytes((out) => {
      out.uint8(OBJECT)
      writeValue(out, '__proto__')
      writeValue(out, { polluted: true })
      out.uint8(0)
    })
    const { out } = await inspected(withKeyed(payloadOf('value', [{ key: 'a', value }])), '--state', 's')
    expect(out).toContain('"value":{"__proto__":{"polluted":true}}')
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  test('of a serializer or a kind that nobody knows is shown as bytes', async () => {
    const { out } = await inspected(
      withKeyed(payloadOf('novel', [{ key: 'a', value: Uint8Array.of(1) }])),
      '--state',
      's',
    )
    expect(JSON.parse(out).value).toEqual({ $unknown: 'millrace.value 1', base64: 'AQ==' })
  })
})

/** A frame whose text is no JSON that a program would write. */
function framedText(text: string): Uint8Array {
  const body = new TextEncoder().encode(text)
  const out = new Uint8Array(16 + body.length + 4)
  out.set(new TextEncoder().encode('MLRCHKPT'))
  const view = new DataView(out.buffer)
  view.setUint32(8, 1)
  view.setUint32(12, body.length)
  out.set(body, 16)
  view.setUint32(16 + body.length, crc32(out.subarray(0, 16 + body.length)))
  return out
}

function withUint32(original: Uint8Array, at: number, value: number): Uint8Array {
  const copy = original.slice()
  new DataView(copy.buffer).setUint32(at, value, true)
  return copy
}

function memory(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
