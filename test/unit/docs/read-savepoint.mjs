/** Reads a canonical savepoint by what docs/SAVEPOINT-FORMAT.md says, and by nothing else: it imports nothing of Millrace. */
import { createHash } from 'node:crypto'
import { lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { Bytes, keyGroupOf, originalKey, readValue } from './read-values.mjs'

/** Everything that the savepoint in the folder holds. Throws where the page says that a reader must refuse. */
export function readSavepoint(folder) {
  const { json: metadata, end, bytes } = readFrame(readFileSync(join(folder, '_metadata')), 'MLRCHKPT')
  check(end === bytes.length, 'bytes behind the metadata')
  return {
    ...metadata,
    operators: metadata.operators.map((operator) => ({
      ...operator,
      coordinator: operator.coordinator && readFramedPiece(payloadOf(folder, metadata, operator.coordinator)),
      subtasks: operator.subtasks.map(({ index, finished, keyed, operator: lists }) => ({
        index,
        finished,
        keyed:
          keyed && readKeyed(payloadOf(folder, metadata, keyed), keyed.identity.keyGroups, operator.maxParallelism),
        operator: lists && readOperatorState(payloadOf(folder, metadata, lists)),
      })),
    })),
  }
}

function readFrame(bytes, magic) {
  check(bytes.toString('latin1', 0, 8) === magic, `no ${magic}`)
  check(bytes.readUInt32BE(8) === 1, 'another version of the frame')
  const end = 16 + bytes.readUInt32BE(12)
  check(end + 4 <= bytes.length && bytes.readUInt32BE(end) === crc32(bytes.subarray(0, end)), 'a frame is damaged')
  return { json: JSON.parse(bytes.toString('utf8', 16, end)), end: end + 4, bytes }
}

function payloadOf(folder, { jobId, epoch }, handle) {
  if (handle.type === 'inline') return Buffer.from(handle.bytes, 'base64')
  check(handle.type === 'file', `a handle of type ${handle.type}`)
  const path = join(folder, handle.path)
  check(lstatSync(path).isFile(), `${path} is no plain file`)
  const bytes = readFileSync(path)
  const hash = createHash('sha256').update(bytes).digest('hex')
  check(bytes.length === handle.length && hash === handle.sha256, `${path} is damaged`)
  const { json, end } = readFrame(bytes, 'MLRSTATE')
  for (const [name, value] of Object.entries({ jobId, epoch, ...handle.identity }))
    check(JSON.stringify(json[name]) === JSON.stringify(value), `${path} is of another ${name}`)
  return bytes.subarray(end)
}

/** `{ kind, name, serializers, entries: [{ key, keyGroup, value }] }` of each table. */
function readKeyed(payload, keyGroups, maxParallelism) {
  const input = new Bytes(payload)
  const header = readValue(new Bytes(checked(input, 'MRKS', 2)))
  check(header.maxParallelism === maxParallelism, 'another max parallelism')
  const tables = header.tables.map((table) => ({ ...table, entries: [] }))
  while (input.left > 0) {
    const group = input.take(2)
    const keyGroup = group.readUInt16LE()
    check(keyGroup >= keyGroups.first && keyGroup <= keyGroups.last, `key group ${keyGroup}`)
    const length = input.u32()
    const crc = input.u32()
    const content = input.take(length)
    check(crc32(content, crc32(group)) === crc, `key group ${keyGroup} is damaged`)
    readRuns(new Bytes(content), tables, keyGroup, maxParallelism)
  }
  return tables
}

function readRuns(input, tables, keyGroup, maxParallelism) {
  while (input.left > 0) {
    const table = tables[input.u16()]
    check(table !== undefined, 'a table that the header does not name')
    const run = new Bytes(input.take(input.u32()))
    while (run.left > 0) {
      const mapKey = readValue(run)
      check(keyGroupOf(mapKey, maxParallelism) === keyGroup, 'a key in another key group')
      const bytes = new Bytes(run.take(run.varint()))
      const value = readState(bytes, table)
      check(bytes.left === 0, 'an entry of another length')
      table.entries.push({ key: originalKey(mapKey), keyGroup, value })
    }
  }
}

function readState(input, { kind, serializers }) {
  switch (kind) {
    case 'value':
    case 'reducing':
    case 'aggregating':
      return readElement(input, serializers)
    case 'list':
      return times(input.varint(), () => readElement(input, serializers))
    case 'map':
      return times(input.varint(), () => [originalKey(readValue(input)), readElement(input, serializers)])
    case 'timers':
      return times(input.varint(), () => {
        const namespace = readValue(input)
        return { namespace: namespace === undefined ? undefined : originalKey(namespace), time: input.f64() }
      })
    default:
      throw new Error(`refused: a state of kind ${kind}`)
  }
}

function readElement(input, [serializer, stamps]) {
  check(stamps === undefined || (stamps.id === 'millrace.ttl' && stamps.version === 1), 'an unknown second serializer')
  const touchedMs = stamps === undefined ? undefined : input.f64()
  const value = serializer.id === 'millrace.value' ? readValue(input) : Buffer.from(input.take(input.varint()))
  return stamps === undefined ? value : { touchedMs, value }
}

/** `{ name, mode, serializer, elements }` of each state; the elements decoded where the serializer is the default one. */
function readOperatorState(payload) {
  const input = new Bytes(payload)
  const states = readValue(new Bytes(checked(input, 'MROS', 1)))
  check(input.left === 0, 'bytes behind the operator state')
  return states.map((state) => ({
    ...state,
    elements: state.elements.map((element) => {
      if (state.serializer.id !== 'millrace.value') return element
      const bytes = new Bytes(Buffer.from(element))
      if (state.mode !== 'broadcast') return readValue(bytes)
      return [originalKey(readValue(bytes)), readValue(bytes)]
    }),
  }))
}

function readFramedPiece(payload) {
  const end = 8 + payload.readUInt32BE(4)
  return {
    serializer: { id: payload.toString('utf8', 8, end), version: payload.readUInt32BE(0) },
    bytes: payload.subarray(end),
  }
}

function checked(input, magic, version) {
  check(input.take(4).toString('latin1') === magic, `no ${magic}`)
  const found = input.u16()
  check(found === version, `version ${found} of ${magic}`)
  const length = input.u32()
  const crc = input.u32()
  const content = input.take(length)
  check(crc32(content) === crc, `${magic} is damaged`)
  return content
}

function times(count, make) {
  const made = []
  for (let i = 0; i < count; i++) made.push(make())
  return made
}

function check(holds, what) {
  if (!holds) throw new Error(`refused: ${what}`)
}
