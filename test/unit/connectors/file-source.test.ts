import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { FileSource } from '../../../src/connectors/file-source/file-source.ts'
import type { Source } from '../../../src/operators/source.ts'
import { SourceUnderTest, type SubtaskOptions } from '../operators/subtask-harness.ts'
import { diskWith, inPiecesOf, writeFile } from './files-for-tests.ts'

async function readAll<T>(source: Source<T>, options: SubtaskOptions): Promise<SourceUnderTest<T>> {
  const running = await new SourceUnderTest(source, options).open()
  await running.runToEnd()
  return running
}

describe('lines of files', () => {
  it('end at a newline with or without carriage return, and the last needs none', async () => {
    const files = await diskWith({ '/in/a.txt': '\uFEFFone\r\n\nthree\rx\nä€😀\nlast' })
    expect((await readAll(FileSource.forLines('/in/a.txt'), { files })).values).toEqual([
      'one',
      '',
      'three\rx',
      'ä€😀',
      'last',
    ])
  })

  it('come exactly once, whatever the lines, the chunks and the place of a restart', async () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\r', 'ä', '€', '😀', '\uFFFD') })
    const ending = fc.constantFrom('\n', '\r\n')
    const scenario = [
      fc.array(fc.tuple(line, ending), { maxLength: 30 }),
      line,
      fc.integer({ min: 1, max: 40 }),
      fc.nat(40),
      fc.boolean(),
    ] as const
    await fc.assert(
      fc.asyncProperty(...scenario, async (lines, last, pieces, stopAt, packed) => {
        const text = lines.map((parts) => parts.join('')).join('') + last
        const path = packed ? '/in/a.gz' : '/in/a'
        const files = inPiecesOf(await diskWith({ [path]: packed ? gzipSync(text) : text }), pieces)
        const expected = text
          .split('\n')
          .map((each, index, { length }) => (index + 1 < length ? each.replace(/\r$/, '') : each))
        if (expected.at(-1) === '') expected.pop()
        const before = await new SourceUnderTest(FileSource.forLines(path), { files }).open()
        await before.emit(stopAt)
        const after = await readAll(FileSource.forLines(path), { files, ...(await before.snapshot()) })
        expect([...before.values, ...after.values]).toEqual(expected)
        await before.close()
      }),
      { numRuns: 200 },
    )
  })

  it('of many files come once each, over all subtasks and across a restart', async () => {
    const contents = Object.fromEntries(Array.from({ length: 9 }, (_, file) => [`/in/${file}`, `${file}a\n${file}b\n`]))
    const files = await diskWith(contents)
    const before = await new SourceUnderTest(FileSource.forLines('/in'), { files, parallelism: 3 }).open()
    for (let subtask = 0; subtask < 3; subtask++) await before.emit(subtask, subtask)
    const after = await readAll(FileSource.forLines('/in'), { files, parallelism: 2, ...(await before.snapshot()) })
    expect([...before.values, ...after.values].sort()).toEqual(
      Object.keys(contents).flatMap((path) => [`${path.at(-1)}a`, `${path.at(-1)}b`]),
    )
    await before.close()
  })

  it('that are not UTF-8 fail the job with file and line', async () => {
    const files = await diskWith({
      '/in/a': Buffer.concat([Buffer.from('good\n'), Buffer.from([0x62, 0xff, 0x0a]), Buffer.from('end\n')]),
    })
    const running = await new SourceUnderTest(FileSource.forLines('/in/a'), { files }).open()
    await expect(running.runToEnd()).rejects.toMatchObject({
      code: 'RECORD_INVALID',
      message: '/in/a, line 2: it is not UTF-8. There stands "b\uFFFD".',
      details: { path: '/in/a', line: 2 },
    })
    expect(running.values).toEqual(['good'])
  })

  it('are not read beyond the size that the file had when it was opened', async () => {
    const files = await diskWith({ '/in/a': 'one\ntwo\n' })
    const before = await new SourceUnderTest(FileSource.forLines('/in/a'), { files }).open()
    await before.emit(1)
    const state = await before.snapshot()
    await before.close()
    files.disk.append(files.disk.file('/in/a'), Buffer.from('three\n'))
    expect((await readAll(FileSource.forLines('/in/a'), { files, ...state })).values).toEqual(['two'])
  })
})

describe('the inputs of a file source', () => {
  const names = [
    '/d/a.txt',
    '/d/b.csv',
    '/d/sub/c.txt',
    '/d/sub/deep/d.txt',
    '/d/.hidden.txt',
    '/d/_part.txt',
    '/d/.git/e.txt',
    '/d/odd[1].txt',
  ]
  const pathsOf = async (input: string | readonly string[]) => {
    const files = await diskWith(Object.fromEntries(names.map((name) => [name, name])))
    return (await readAll(FileSource.forLines(input), { files })).values
  }

  it.each([
    ['/d', ['/d/a.txt', '/d/b.csv', '/d/odd[1].txt', '/d/sub/c.txt', '/d/sub/deep/d.txt']],
    ['/d/*.txt', ['/d/_part.txt', '/d/a.txt', '/d/odd[1].txt']],
    ['/d/**/*.txt', ['/d/_part.txt', '/d/a.txt', '/d/odd[1].txt', '/d/sub/c.txt', '/d/sub/deep/d.txt']],
    ['/d/*/*.txt', ['/d/sub/c.txt']],
    ['/d/{a,sub/c}.txt', ['/d/a.txt', '/d/sub/c.txt']],
    ['/d/odd[1].txt', ['/d/odd[1].txt']],
    ['file:///d/a.txt', ['/d/a.txt']],
    [
      ['/d/b.csv', '/d/*.csv', '/d/a.txt'],
      ['/d/b.csv', '/d/a.txt'],
    ],
  ])('are found for %s', async (input, expected) => {
    expect(await pathsOf(input)).toEqual(expected)
  })

  it.each(['/d/missing.txt', '/d/*.json', '/nowhere/**', '/d/.git/nothing'])(
    'that name no file fail the job before the first record: %s',
    async (input) => {
      const files = await diskWith({ '/d/a.txt': 'a' })
      const running = await new SourceUnderTest(FileSource.forLines(['/d/a.txt', input]), { files }).open()
      await expect(running.runToEnd()).rejects.toMatchObject({
        code: 'INPUT_MISSING',
        message: expect.stringContaining(input),
      })
      expect(running.values).toEqual([])
    },
  )

  it('must be a path or an array of paths', () => {
    expect(() => FileSource.forLines([])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    expect(() => FileSource.forLines('')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})

describe('a file that is read on after a restart', () => {
  const head = `${'x'.repeat(300)}\n`

  async function interrupted() {
    const files = await diskWith({ '/in/a': `${head}two\nthree\n`, '/in/same': `${head}two\nthree\n` })
    const before = await new SourceUnderTest(FileSource.forLines('/in/a'), { files }).open()
    await before.emit(1)
    const state = await before.snapshot()
    await before.close()
    return { files, state, goOn: () => readAll(FileSource.forLines('/in/a'), { files, ...state }) }
  }

  it('goes on where it stopped', async () => {
    const { goOn } = await interrupted()
    expect((await goOn()).values).toEqual(['two', 'three'])
  })

  it.each([
    ['deleted', 'was deleted', async () => {}],
    [
      'shorter',
      'is shorter',
      async ({ files }: Awaited<ReturnType<typeof interrupted>>) => writeFile(files, '/in/a', `${head}two\n`),
    ],
    [
      'replaced by another one',
      'was replaced',
      async ({ files }: Awaited<ReturnType<typeof interrupted>>) =>
        files.execute([{ type: 'rename', from: '/in/same', to: '/in/a' }]),
    ],
  ])('fails by its name when it is %s', async (_, message, change) => {
    const stopped = await interrupted()
    await stopped.files.execute([{ type: 'unlink', path: '/in/a' }])
    await change(stopped)
    await expect(stopped.goOn()).rejects.toMatchObject({
      code: 'SOURCE_CHANGED',
      message: expect.stringContaining(`/in/a ${message}`),
    })
  })

  it('fails by its name when its first bytes are others', async () => {
    const { files, goOn } = await interrupted()
    files.disk.file('/in/a').bytes[10] = 'y'.charCodeAt(0)
    await expect(goOn()).rejects.toMatchObject({
      code: 'SOURCE_CHANGED',
      message: expect.stringContaining('/in/a begins with other bytes'),
    })
  })

  it('fails by its name when it is cut while it is read', async () => {
    const files = await diskWith({ '/in/a': 'one\ntwo\n' })
    const running = await new SourceUnderTest(FileSource.forLines('/in/a'), { files: inPiecesOf(files, 4) }).open()
    files.interfere = ({ type }) => {
      if (type === 'read') files.disk.file('/in/a').length = 4
      return undefined
    }
    await expect(running.runToEnd()).rejects.toMatchObject({
      code: 'SOURCE_CHANGED',
      message: expect.stringContaining('truncated'),
    })
  })
})

describe('gzip files', () => {
  it('that are damaged or cut off fail by their name', async () => {
    const whole = gzipSync(Array.from({ length: 2_000 }, (_, line) => `line ${line * 7919}`).join('\n'))
    const damaged = Buffer.from(whole)
    damaged.fill(0xff, 200, 220)
    for (const bytes of [whole.subarray(0, whole.length - 10), damaged, Buffer.from('no gzip at all')]) {
      const files = await diskWith({ '/in/a.gz': bytes })
      await expect(readAll(FileSource.forLines('/in/a.gz'), { files })).rejects.toMatchObject({
        code: 'INPUT_DAMAGED',
        message: expect.stringContaining('/in/a.gz'),
      })
    }
  })
})

describe('JSON lines', () => {
  it('are values, blank lines are passed over', async () => {
    const files = await diskWith({ '/in/a': '{"a":1}\n\n  \r\n[2]\n"x"' })
    expect((await readAll(FileSource.forJsonLines('/in/a'), { files })).values).toEqual([{ a: 1 }, [2], 'x'])
  })

  it('get their type from a schema, and are unknown without', async () => {
    expectTypeOf(FileSource.forJsonLines('x')).toEqualTypeOf<FileSource<unknown>>()
    const schema = (value: unknown) => {
      if (typeof value !== 'number') throw new TypeError(`${JSON.stringify(value)} is no number`)
      return value
    }
    const source = FileSource.forJsonLines('/in/a', { schema })
    expectTypeOf(source).toEqualTypeOf<FileSource<number>>()
    const files = await diskWith({ '/in/a': '1\n"x"\n' })
    await expect(readAll(source, { files })).rejects.toMatchObject({
      code: 'RECORD_INVALID',
      message: '/in/a, line 2: "x" is no number. There stands "\\"x\\"".',
    })
  })

  it('that are invalid are skipped and counted when asked for, and the line numbers stay right across a restart', async () => {
    const files = await diskWith({ '/in/a': '{"a":1}\n{"a":\n2\nnope\n3\n{"cut": "of' })
    const options = { onInvalid: 'skip' } as const
    const before = await new SourceUnderTest(FileSource.forJsonLines('/in/a', options), { files }).open()
    await before.emit(3)
    expect(before.values).toEqual([{ a: 1 }, 2, 3])
    const state = await before.snapshot()
    await before.runToEnd()
    expect(before.harness().counts.get('skippedRecords')).toBe(3)
    expect(before.harness().warnings[0]).toContain('/in/a, line 2')
    await expect(readAll(FileSource.forJsonLines('/in/a'), { files, ...state })).rejects.toMatchObject({
      details: { line: 6 },
    })
  })
})

describe('CSV', () => {
  it('has the columns of its header, quotes, and fields of several lines', async () => {
    const files = await diskWith({ '/in/a.csv': '\uFEFF"name",text\r\nä,"a ""b"", c"\r\n\r\nx,"two\r\nlines"\r\ny,' })
    const source = FileSource.forCsv('/in/a.csv')
    expectTypeOf(source).toEqualTypeOf<FileSource<Readonly<Record<string, string>>>>()
    expect((await readAll(source, { files })).values).toEqual([
      { name: 'ä', text: 'a "b", c' },
      { name: 'x', text: 'two\r\nlines' },
      { name: 'y', text: '' },
    ])
  })

  it('picks named columns from the header, and names those of a file without header', async () => {
    const files = await diskWith({ '/in/header': 'origin,day,delay\nHAM,1,5\n', '/in/bare': 'HAM;5\nBER;6\n' })
    const picked = FileSource.forCsv('/in/header', { columns: ['delay', 'origin'] })
    expectTypeOf(picked).toEqualTypeOf<FileSource<{ delay: string; origin: string }>>()
    expect((await readAll(picked, { files })).values).toEqual([{ delay: '5', origin: 'HAM' }])
    const bare = FileSource.forCsv('/in/bare', { columns: ['origin', 'delay'], delimiter: ';' })
    expect((await readAll(bare, { files })).values).toEqual([
      { origin: 'HAM', delay: '5' },
      { origin: 'BER', delay: '6' },
    ])
  })

  it('refuses a header without a wanted column, and one that repeats a name', async () => {
    const files = await diskWith({ '/in/a': 'origin,dealy\nHAM,5\n', '/in/b': 'a,a\n1,2\n' })
    const missing = FileSource.forCsv('/in/a', { columns: ['origin', 'delay'] })
    await expect(readAll(missing, { files })).rejects.toMatchObject({
      code: 'RECORD_INVALID',
      message: expect.stringContaining('"delay"'),
    })
    await expect(readAll(FileSource.forCsv('/in/b'), { files })).rejects.toMatchObject({
      message: expect.stringContaining('"a" twice'),
    })
  })

  it('comes exactly once, whatever the fields, the chunks and the place of a restart', async () => {
    const field = fc.string({ unit: fc.constantFrom('a', 'b', ' ', ',', '"', '\n', 'ä', '😀', '\uFFFD', 'Ã') })
    const scenario = [
      fc.array(fc.tuple(field, field), { maxLength: 15 }),
      fc.constantFrom('\n', '\r\n'),
      fc.integer({ min: 1, max: 40 }),
      fc.nat(16),
      fc.boolean(),
    ] as const
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
    await fc.assert(
      fc.asyncProperty(...scenario, async (records, ending, pieces, stopAt, marked) => {
        const rows = [['left', 'right'], ...records].map((fields) => fields.map(quoted).join(',') + ending)
        const files = inPiecesOf(await diskWith({ '/in/a': (marked ? '\uFEFF' : '') + rows.join('') }), pieces)
        const before = await new SourceUnderTest(FileSource.forCsv('/in/a'), { files }).open()
        await before.emit(stopAt)
        const after = await readAll(FileSource.forCsv('/in/a'), { files, ...(await before.snapshot()) })
        expect([...before.values, ...after.values]).toEqual(records.map(([left, right]) => ({ left, right })))
        await before.close()
      }),
      { numRuns: 150 },
    )
  })

  it.each([
    ['too few fields', 'a,b\n1,2\n3\n4,5\n', 3, 'it has 1 fields instead of 2'],
    ['too many fields', 'a,b\n"x\ny",2\n3,4,5\n4,5\n', 4, 'it has 3 fields instead of 2'],
    ['a quote that is not closed', 'a,b\n1,2\n3,"4\n5,6\n', 3, 'not closed'],
    ['a quote in the middle', 'a,b\n1,2\n3,x"4"\n5,6\n', 3, 'Quote'],
  ])('with %s fails with file and line, or is skipped and counted', async (_, text, line, problem) => {
    const files = await diskWith({ '/in/a': text })
    const failing = await new SourceUnderTest(FileSource.forCsv('/in/a'), { files }).open()
    await expect(failing.runToEnd()).rejects.toMatchObject({
      code: 'RECORD_INVALID',
      message: expect.stringMatching(new RegExp(`^/in/a, line ${line}: .*${problem}`)),
    })
    expect(failing.values).toHaveLength(1)
    const skipping = await readAll(FileSource.forCsv('/in/a', { onInvalid: 'skip' }), { files })
    expect(skipping.harness().counts.get('skippedRecords')).toBe(1)
    expect(skipping.values[0]).toEqual(failing.values[0])
  })

  it('that is not UTF-8 is invalid, and a genuine replacement character is not', async () => {
    const files = await diskWith({ '/in/a': Buffer.concat([Buffer.from('a\n\uFFFD\n'), Buffer.from([0xe4, 0x0a])]) })
    const running = await new SourceUnderTest(FileSource.forCsv('/in/a'), { files }).open()
    await expect(running.runToEnd()).rejects.toMatchObject({
      message: expect.stringContaining('/in/a, line 3: it is not UTF-8.'),
    })
    expect(running.values).toEqual([{ a: '\uFFFD' }])
  })

  it('keeps a column called __proto__ as it is', async () => {
    const files = await diskWith({ '/in/a': '__proto__,b\nx,y\n' })
    const [record] = (await readAll(FileSource.forCsv('/in/a'), { files })).values
    expect(Object.entries(record as object)).toEqual([
      ['__proto__', 'x'],
      ['b', 'y'],
    ])
  })
})
