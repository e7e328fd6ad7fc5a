/** `millrace inspect` over checkpoints that the ordinary writers wrote. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { JOB_ID, OPERATOR } from '../checkpoint/job-fixture.ts'
import { KEYS, memoryDisk, millrace, writeCheckpoint } from './checkpoint-on-disk.ts'

const { files } = memoryDisk()
const folder = await writeCheckpoint(files)

const inspect = (...argv: string[]) => millrace(files, 'inspect', ...argv)

const STATES = [
  'value',
  'list',
  'map',
  'sum',
  'mean',
  'loud',
  'brief',
  'brief-list',
  'brief-map',
  'timers/event',
  'timers/processing',
]

/** The JSON lines of a state. */
async function entriesOf(path: string, ...argv: string[]): Promise<Record<string, unknown>[]> {
  const { code, out, err } = await inspect(path, '--state', ...argv)
  expect([code, err]).toEqual([0, ''])
  return linesOf(out)
}

const linesOf = (out: string): Record<string, unknown>[] =>
  out
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))

describe('The report', () => {
  test('says what the checkpoint is and what its operators hold', async () => {
    const { code, out, err } = await inspect(folder, '--json')
    expect([code, err]).toEqual([0, ''])
    const report = JSON.parse(out)
    expect(report).toMatchObject({
      verified: true,
      path: folder,
      jobId: JOB_ID,
      jobName: 'wordcount',
      epoch: 1,
      checkpointId: 1,
      kind: 'checkpoint',
      format: 'canonical',
      triggeredAt: '2026-01-02T03:04:05.000Z',
      size: { sharedBytes: 0 },
      properties: {
        id: 1,
        checkpoint_type: 'CHECKPOINT',
        is_savepoint: false,
        savepointFormat: null,
        is_unaligned: false,
      },
    })
    const [operator] = report.operators
    expect(operator).toMatchObject({
      name: 'count',
      uid: 'count-uid',
      operatorId: OPERATOR,
      parallelism: 2,
      maxParallelism: 16,
      subtasks: 2,
      finishedSubtasks: 0,
      coordinatorBytes: 3,
    })
    expect(
      operator.keyedStates.map(({ kind, name, entries }: Record<string, unknown>) => [kind, name, entries]),
    ).toEqual([
      ['value', 'value', 10],
      ['list', 'list', 10],
      ['map', 'map', 10],
      ['reducing', 'sum', 10],
      ['aggregating', 'mean', 10],
      ['value', 'loud', 10],
      ['value', 'brief', 10],
      ['list', 'brief-list', 10],
      ['map', 'brief-map', 10],
      ['timers', 'timers/event', 10],
      ['timers', 'timers/processing', 10],
    ])
    expect(operator.operatorStates).toEqual([
      {
        name: 'positions',
        mode: 'split',
        elements: 4,
        bytes: 40,
        subtasks: 2,
        serializer: { id: 'millrace.value', version: 1 },
      },
      {
        name: 'everywhere',
        mode: 'union',
        elements: 2,
        bytes: 10,
        subtasks: 2,
        serializer: { id: 'shouting', version: 3 },
      },
      {
        name: 'rules',
        mode: 'broadcast',
        elements: 2,
        bytes: 28,
        subtasks: 2,
        serializer: { id: 'millrace.value', version: 1 },
      },
    ])
  })

  test('is a table for people, and the path may name the metadata', async () => {
    const { code, out } = await inspect(join(folder, '_metadata'))
    expect(code).toBe(0)
    expect(out).toMatch(/^path {8}\/.*chk-1\njob {9}wordcount \(0123456789abcdef0123456789abcdef\)\n/)
    expect(out).toContain('  checkpoint type    CHECKPOINT\n')
    expect(out).toContain('\noperator count, uid count-uid (aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)\n')
    expect(out).toMatch(/\n {2}brief {14}value {8}10 {7}143 {4}8 {11}millrace\.value 1, millrace\.ttl 1\n/)
    expect(out).toContain('  coordinator state: 3 bytes\n')
  })

  test('of a savepoint has the properties of one', async () => {
    const other = memoryDisk()
    const path = await writeCheckpoint(other.files, { kind: 'savepoint' })
    const { out } = await millrace(other.files, 'inspect', path, '--json')
    expect(JSON.parse(out).properties).toMatchObject({
      checkpoint_type: 'SAVEPOINT',
      is_savepoint: true,
      savepointFormat: 'CANONICAL',
    })
  })

  test('of what is not there ends with 1 and the missing file, as JSON too', async () => {
    const { code, err } = await inspect('/nowhere/chk-3')
    expect(code).toBe(1)
    expect(err).toMatch(/^error CHECKPOINT_MISSING: .*\/nowhere\/chk-3\/_metadata/)
    const json = await inspect('/nowhere/chk-3', '--json')
    expect(json.code).toBe(1)
    expect(JSON.parse(json.out)).toMatchObject({ verified: false, error: { code: 'CHECKPOINT_MISSING' } })
  })
})

describe('The entries of a state', () => {
  test('stand by key group, each key once, with its value', async () => {
    const entries = await entriesOf(folder, 'sum')
    expect(entries.map(({ value }) => value).toSorted()).toEqual(KEYS.map((_, place) => place))
    const groups = entries.map(({ keyGroup }) => keyGroup as number)
    expect(groups).toEqual(groups.toSorted((one, other) => one - other))
    expect(entries).toContainEqual({ key: { $bigint: '10' }, value: 6, keyGroup: 3 })
    expect(entries).toContainEqual({ key: { a: ['y'], b: 1 }, value: 9, keyGroup: 10 })
  })

  test('are the same at another parallelism', async () => {
    const other = memoryDisk()
    const path = await writeCheckpoint(other.files, { parallelism: 5, keys: KEYS })
    for (const state of ['value', 'brief-map', 'timers/processing'])
      expect((await millrace(other.files, 'inspect', path, '--state', state)).out).toBe(
        (await inspect(folder, '--state', state)).out,
      )
  })

  test.each([
    ...(['checkpoint', 'full', 'native', 'canonical'] as const).map((format) => ({ format, what: format })),
    ...(['checkpoint', 'canonical'] as const).map((format) => ({
      format,
      what: `${format}, with maps and lists in parts`,
      partSizes: { mostEntries: 0, mostBytes: 1024, chunkKeys: 1 },
    })),
  ])(
    'are the same lines where the leveldb backend wrote a snapshot of format $what',
    async ({ what: _, ...written }) => {
      const other = memoryDisk()
      const path = await writeCheckpoint(other.files, { backend: 'leveldb', ...written })
      const { code, err } = await millrace(other.files, 'inspect', path)
      expect([code, err]).toEqual([0, ''])
      for (const state of STATES)
        expect((await millrace(other.files, 'inspect', path, '--state', state)).out, state).toBe(
          (await inspect(folder, '--state', state)).out,
        )
    },
  )

  test.each<[string, unknown]>([
    ['value', { value: { place: 0, at: { $date: '1970-01-01T00:00:00.000Z' } } }],
    ['list', { value: [0, { $undefined: true }] }],
    [
      'map',
      {
        value: {
          $map: [
            ['one', 0],
            ['two', 0],
          ],
        },
      },
    ],
    ['mean', { value: [0] }],
    ['loud', { value: { $serializer: 'shouting', version: 3, base64: 'TE9VRCAw' } }],
    ['brief', { value: 0, touchedMs: 5000 }],
    ['brief-list', { value: [0], touchedMs: [5000] }],
    ['brief-map', { value: { $map: [['k', 0]] }, touchedMs: [5000] }],
    ['timers/event', { value: [{ timestamp: 0 }] }],
    ['timers/processing', { value: [{ timestamp: 9000, namespace: 'window' }] }],
  ])('of %s are shown by their kind', async (state, expected) => {
    expect(await entriesOf(folder, state, '--key', 'a')).toEqual([{ key: 'a', ...(expected as object), keyGroup: 1 }])
  })

  test('of operator state stand by subtask', async () => {
    expect(await entriesOf(folder, 'positions')).toEqual([
      { subtask: 0, index: 0, value: { subtask: 0 } },
      { subtask: 0, index: 1, value: { $bigint: '7' } },
      { subtask: 1, index: 0, value: { subtask: 1 } },
      { subtask: 1, index: 1, value: { $bigint: '7' } },
    ])
    expect(await entriesOf(folder, 'rules', '--key', 'limit')).toEqual([
      { subtask: 0, key: 'limit', value: { most: 5 } },
      { subtask: 1, key: 'limit', value: { most: 5 } },
    ])
    expect((await entriesOf(folder, 'everywhere'))[0]).toEqual({
      subtask: 0,
      index: 0,
      value: { $serializer: 'shouting', version: 3, base64: 'SEVMTE8=' },
    })
  })
})

describe('A key', () => {
  test.each([
    ['a', 0],
    ['"a"', 0],
    ['1', 3],
    ['2.5', 4],
    ['0', 5],
    ['{"$number":"-0"}', 5],
    ['{"$bigint":"10"}', 6],
    ['true', 7],
    ['["x",1]', 8],
    ['{"b":1,"a":["y"]}', 9],
  ])('that is %s is found', async (key, value) => {
    expect(await entriesOf(folder, 'sum', '--key', key)).toMatchObject([{ value }])
  })

  test('that has no entry prints nothing, and says how texts are written', async () => {
    const { code, out, err } = await inspect(folder, '--state', 'sum', '--key', '10')
    expect([code, out]).toEqual([0, ''])
    expect(err).toContain('no entry of that key')
  })

  test.each([
    [['--key', 'a'], /--key needs --state/],
    [['--state', 'sum', '--key', 'null'], /--key cannot be read: key is null/],
    [['--state', 'sum', '--key', '{"$bigint":"x"}'], /--key cannot be read: .*\$bigint/],
    [['--state', 'sum', '--key', `${'['.repeat(50_000)}${']'.repeat(50_000)}`], /--key cannot be read/],
    [['--state', 'positions', '--key', 'a'], /is a list: it has no keys/],
    [['--nope'], /unknown option/],
    [[folder, 'more'], /too many arguments/],
  ])('or option that cannot be one ends with 2: %j', async (argv, message) => {
    const { code, err } = await inspect(folder, ...argv.filter((word) => word !== undefined))
    expect(err).toMatch(message)
    expect(err).toContain('COMMAND_INVALID')
    expect(code).toBe(2)
  })
})

describe('The name of a state', () => {
  test.each(['count-uid/sum', 'count/sum', `${OPERATOR}/sum`])('may begin with its operator: %s', async (name) => {
    expect(await entriesOf(folder, name)).toHaveLength(KEYS.length)
  })

  test('that is unknown ends with 1 and the names that there are', async () => {
    const { code, out, err } = await inspect(folder, '--state', 'summ')
    expect([code, out]).toEqual([1, ''])
    expect(err).toMatch(/STATE_UNKNOWN: .*'summ'/)
    expect(err).toMatch(/'count-uid\/sum', .*'count-uid\/rules'/)
  })
})

describe('Names in a checkpoint', () => {
  test('move no cursor and reverse no text', async () => {
    const other = memoryDisk()
    const name = 'evil\u001b[2J\r\n\u202ename\u0085'
    const path = await writeCheckpoint(other.files, { name, keys: ['k\u001b\u202e'] })
    for (const argv of [[], ['--json'], ['--state', 'sum'], ['--state', 'nope']]) {
      const { out, err } = await millrace(other.files, 'inspect', path, ...argv)
      expect(out + err).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      expect(out + err).toContain('\\u001b')
    }
  })
})
