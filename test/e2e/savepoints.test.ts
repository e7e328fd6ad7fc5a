/** `millrace plan` and `millrace inspect` on savepoints of both backends and formats: good, stale, damaged and foreign ones. */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Ended, millrace, root, workFolder } from './processes.ts'

const folder = workFolder()
const savepoints = join(root, 'test/fixtures/savepoints/v1')
const KINDS = [
  { name: 'hashmap-canonical-2', format: 'canonical', backend: 'hashmap' },
  { name: 'hashmap-native-2', format: 'canonical', backend: 'hashmap' },
  { name: 'leveldb-canonical-2', format: 'canonical', backend: 'leveldb' },
  { name: 'leveldb-native-2', format: 'native', backend: 'leveldb' },
] as const

/** The program that wrote the savepoints; its argument makes it another one. */
const JOB = `
import * as millrace from 'millrace'
import { declareJob } from ${JSON.stringify(new URL('../fixtures/savepoint-corpus-job.mjs', import.meta.url).href)}
const [change] = process.argv.slice(2)
const { ValueStateDescriptor } = millrace
const older = { id: 'upper', version: 1, serialize: () => new Uint8Array(), deserialize: () => '' }
const changed = {
  older: { ValueStateDescriptor: function (name, given) { return new ValueStateDescriptor(name, name === 'own' ? { serializer: older } : given) } },
}[change]
const env = millrace.StreamExecutionEnvironment.getExecutionEnvironment()
declareJob({ ...millrace, ...changed }, env, { rounds: 1, note: (what) => what })
await env.execute('corpus')
`
/** A program that knows none of its operators. */
const OTHER = `
import { DiscardingSink, StreamExecutionEnvironment } from 'millrace'
const env = StreamExecutionEnvironment.getExecutionEnvironment()
env.fromData([1]).uid('one').sinkTo(new DiscardingSink()).uid('end')
await env.execute('corpus')
`
const job = join(folder, 'job.mjs')
const other = join(folder, 'other.mjs')
writeFileSync(job, JOB)
writeFileSync(other, OTHER)

const pathOf = (name: string) => join(savepoints, name)
const inspect = (path: string, ...more: readonly string[]) => millrace(['inspect', path, ...more])
const plan = (program: string, path: string, backend: string, ...more: readonly string[]) =>
  millrace(['plan', program, '--from', path, '-D', `state.backend.type=${backend}`, ...more])

describe('A good savepoint', () => {
  test.each(KINDS)('is shown and planned: $name', async ({ name, format, backend }) => {
    const [shown, planned] = await Promise.all([inspect(pathOf(name), '--json'), plan(job, pathOf(name), backend)])
    expect(shown).toMatchObject({ code: 0, stderr: '' })
    const report = JSON.parse(shown.stdout)
    expect(report).toMatchObject({ verified: true, format, jobName: 'corpus' })
    const everything = report.operators.find(({ uid }: { uid: string }) => uid === 'everything')
    for (const { entries } of everything.keyedStates) expect(entries).toBe(24)
    expect(planned).toMatchObject({ code: 0, stderr: '' })
    expect(planned.stdout).toMatch(/^ {2}aged-map +matched +map/m)
    expect(planned.stdout).toMatch(/A restore would succeed\.\n$/)
  })

  test('has the same entries whatever its backend and format', async () => {
    const shown = await Promise.all(KINDS.map(({ name }) => inspect(pathOf(name), '--state', 'everything/map')))
    const [first, ...others] = shown.map(({ stdout }) => stdout)
    expect(first?.split('\n')).toHaveLength(25)
    for (const lines of others) expect(lines).toBe(first)
  })
})

describe('A stale savepoint', () => {
  const fails = (ended: Ended, code: string, words: RegExp) => {
    expect(ended.code, ended.stderr).toBe(1)
    const verdict = ended.stdout.split('\n').find((line) => line.startsWith('A restore would fail: ')) ?? ''
    expect(verdict).toContain(code)
    expect(verdict).toMatch(words)
  }

  test.each(KINDS)('is told what it lost, or what changed: $name', async ({ name, backend }) => {
    const [gone, newer] = await Promise.all([
      plan(other, pathOf(name), backend),
      plan(job, pathOf(name), backend, 'older'),
    ])
    fails(gone, 'STATE_NOT_RESTORED', /"everything"/)
    fails(newer, 'STATE_INCOMPATIBLE', /version 3 of serializer 'upper', the program has version 1/)
  })

  test('in a form of its own is refused for the other backend', async () => {
    fails(await plan(job, pathOf('leveldb-native-2'), 'hashmap'), 'STATE_INCOMPATIBLE', /leveldb/)
  })
})

describe('A savepoint that is none, or none any more', () => {
  /** A copy, and its first state file. */
  const copied = (name: string, as: string) => {
    const path = join(folder, as)
    cpSync(pathOf(name), path, { recursive: true })
    return { path, file: join(path, readdirSync(path).find((file) => file !== '_metadata') as string) }
  }
  const refused = async (path: string, backend: string, code: string, file: string) => {
    for (const { code: exit, stdout, stderr } of await Promise.all([inspect(path), plan(job, path, backend)])) {
      expect([exit, stdout]).toEqual([1, ''])
      expect(stderr).toMatch(new RegExp(`^error ${code}: `))
      expect(stderr).toContain(file)
    }
  }

  test.each(KINDS)('is refused with the name of the file, damaged or cut: $name', async ({ name, backend }) => {
    const { path, file } = copied(name, `damaged-${name}`)
    const bytes = readFileSync(file)
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 16
    writeFileSync(file, bytes)
    await refused(path, backend, 'CHECKPOINT_DAMAGED', file)
    rmSync(file)
    await refused(path, backend, 'CHECKPOINT_MISSING', file)
  })

  test('with a file of another savepoint is refused by the name of that file', async () => {
    const { path, file } = copied('leveldb-native-2', 'mixed')
    cpSync(copied('leveldb-canonical-2', 'lender').file, file)
    await refused(path, 'leveldb', 'CHECKPOINT_(FOREIGN|DAMAGED)', file)
  })

  test('of Flink, and a folder of something else, is refused by the name of the metadata', async () => {
    const { path } = copied('hashmap-canonical-2', 'of-flink')
    const metadata = join(path, '_metadata')
    writeFileSync(metadata, Buffer.from('4960672d00000003'.padEnd(400, '00'), 'hex'))
    await refused(path, 'hashmap', 'CHECKPOINT_DAMAGED', metadata)
    rmSync(metadata)
    await refused(path, 'hashmap', 'CHECKPOINT_MISSING', metadata)
  })
})
