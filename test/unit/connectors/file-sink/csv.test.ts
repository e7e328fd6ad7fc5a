import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SimulatedFileSystem } from '../../../../src/base/simulated-file-system.ts'
import { type CsvFileSinkOptions, FileSink, FileSource } from '../../../../src/index.ts'
import { openSink, SourceUnderTest } from '../../operators/subtask-harness.ts'
import { FOLDER, filesBelow, textOf } from './folder-contents.ts'

/** The text of each file that these records make with one checkpoint. */
async function texts<T extends object>(records: readonly T[], options?: CsvFileSinkOptions<T>): Promise<string[]> {
  const files = await written(records, options)
  return Promise.all((await filesBelow(files)).map((path) => textOf(files, path)))
}

async function written<T extends object>(records: readonly T[], options?: CsvFileSinkOptions<T>) {
  const files = new SimulatedFileSystem()
  const running = await openSink(FileSink.forCsv<T>(FOLDER, options), { files })
  await running.write(...records)
  await running.checkpoint(1)
  await running.complete(1)
  return files
}

describe('A CSV file', () => {
  it('has a line of names, a record a line, and CR LF behind each', async () => {
    const records = [
      { origin: 'FRA', delay: 5 },
      { origin: 'CDG', delay: -2.5 },
    ]
    expect(await texts(records)).toEqual(['origin,delay\r\nFRA,5\r\nCDG,-2.5\r\n'])
    expect(await filesBelow(await written(records))).toEqual(['part-0-0.csv'])
  })

  it('has the columns that were asked for, in that order', async () => {
    const records = [{ a: 1, b: 2, c: 3 }]
    expect(await texts(records, { columns: ['c', 'a'] })).toEqual(['c,a\r\n3,1\r\n'])
  })

  it('has no line of names where none is wanted', async () => {
    expect(await texts([{ a: 1, b: 2 }], { columns: ['b', 'a'], header: false })).toEqual(['2,1\r\n'])
  })

  it('has its line of names again after every roll, in every bucket, from its own first record', async () => {
    const records = [{ a: 1 }, { b: 'x' }, { a: 2 }]
    const found = await texts<{ a?: number; b?: string }>(records, {
      bucketAssigner: (record) => (record.a === undefined ? 'b' : 'a'),
      rolling: { maxPartSize: 1 },
    })
    expect(found.toSorted()).toEqual(['a\r\n1\r\n', 'a\r\n2\r\n', 'b\r\nx\r\n'])
  })

  it('quotes what would be read otherwise, and nothing else', async () => {
    const record = { comma: 'a,b', quote: 'say "x"', cr: 'a\rb', lf: 'a\nb', both: 'a\r\nb', plain: ' a;b ', empty: '' }
    expect(await texts([record], { columns: Object.keys(record) as (keyof typeof record)[], header: false })).toEqual([
      '"a,b","say ""x""","a\rb","a\nb","a\r\nb", a;b ,""\r\n',
    ])
  })

  it('quotes names too', async () => {
    expect(await texts([{ 'a,b': 1, '': 2, 'x"y': 3 }])).toEqual(['"a,b","","x""y"\r\n1,2,3\r\n'])
  })

  it('quotes what its own delimiter would cut, whichever that is', async () => {
    expect(await texts([{ a: 'x;y', b: 'x,y' }], { delimiter: ';' })).toEqual(['a;b\r\n"x;y";x,y\r\n'])
  })

  it('holds texts, numbers, bigints, booleans and dates, so that each can be made from its text again', async () => {
    const record = {
      text: 'ä 😀',
      zero: -0,
      tiny: 5e-324,
      none: Number.NaN,
      endless: Number.NEGATIVE_INFINITY,
      big: 2n ** 70n,
      yes: true,
      no: false,
      at: new Date(Date.UTC(2024, 4, 1, 12, 30, 0, 7)),
    }
    expect((await texts([record]))[0]?.split('\r\n')[1]).toBe(
      'ä 😀,-0,5e-324,NaN,-Infinity,1180591620717411303424,true,false,2024-05-01T12:30:00.007Z',
    )
  })

  it('tells an empty text from nothing, and nothing from no record', async () => {
    expect(await texts([{ a: '', b: null, c: undefined }])).toEqual(['a,b,c\r\n"",,\r\n'])
    expect(await texts([{ a: null }])).toEqual(['a\r\n""\r\n'])
  })

  it('does not begin with a mark of the byte order that a reader would take away', async () => {
    expect(await texts([{ a: '\ufeffx' }], { columns: ['a'], header: false })).toEqual(['"\ufeffx"\r\n'])
  })

  it('leaves a field empty that a later record has not', async () => {
    const records: { a?: number; b?: number }[] = [{ a: 1, b: 2 }, { b: 3 }, { b: 5, a: 4 }]
    expect(await texts(records)).toEqual(['a,b\r\n1,2\r\n,3\r\n4,5\r\n'])
  })
})

describe('A record that no CSV file can hold', () => {
  it.each([
    [{ a: 1, b: { c: 1 } }, '"b" of a CSV record is an object'],
    [{ a: [1] }, '"a" of a CSV record is an array'],
    [{ a: () => 1 }, '"a" of a CSV record is a function'],
    [{ a: Symbol('x') }, '"a" of a CSV record is a symbol'],
    [{ a: new Map() }, '"a" of a CSV record is an object'],
    [{ a: new Date(Number.NaN) }, '"a" of a CSV record is a date that is none'],
    [{ a: 'half \ud83d' }, 'half of a surrogate pair'],
    [{ 'half \ud83d': 1 }, 'half of a surrogate pair'],
    [{}, 'no fields'],
    [[1, 2], 'is an array'],
    ['text', 'of type string'],
    [null, 'is null'],
    [undefined, 'of type undefined'],
  ])('is refused, and what is wrong is named: %o', async (record, named) => {
    await expect(texts([record as object])).rejects.toMatchObject({
      code: 'RECORD_NOT_WRITABLE',
      message: expect.stringContaining(named),
    })
  })

  it('is refused where it has a field that the first record has not: it would be lost', async () => {
    const records: { a: number; b?: number }[] = [{ a: 1 }, { a: 2, b: 3 }]
    await expect(texts(records)).rejects.toMatchObject({
      code: 'RECORD_NOT_WRITABLE',
      message: expect.stringContaining('"b"'),
    })
    expect(await texts(records, { columns: ['a'] })).toEqual(['a\r\n1\r\n2\r\n'])
    expect(await texts([{ a: 1 }, { a: 2, b: undefined }])).toEqual(['a\r\n1\r\n2\r\n'])
  })
})

describe('What a CSV sink has written', () => {
  const field = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', ' ', 'a', ';', '\ufeff', '=') }),
  )
  const names = fc.uniqueArray(field, { minLength: 1, maxLength: 4 })
  const table = names.chain((columns) =>
    fc.record({
      columns: fc.constant(columns),
      rows: fc.array(fc.array(field, { minLength: columns.length, maxLength: columns.length }), { minLength: 1 }),
      delimiter: fc.constantFrom(',', ';', '\t', '|', ' '),
      header: fc.boolean(),
    }),
  )

  it('is read by a parser as it was, whatever the texts are', async () => {
    await fc.assert(
      fc.asyncProperty(table, async ({ columns, rows, delimiter, header }) => {
        const records = rows.map((row) =>
          Object.fromEntries(columns.map((name, index) => [name, row[index] as string])),
        )
        const [text] = await texts(records, { columns, delimiter, header })
        const found = parse(text as string, { delimiter, record_delimiter: '\r\n' }) as string[][]
        expect(found).toEqual(header ? [columns, ...rows] : rows)
      }),
      { numRuns: 200 },
    )
  })

  it('is read by a FileSource as it was', async () => {
    await fc.assert(
      fc.asyncProperty(table, async ({ columns, rows, delimiter }) => {
        const records = rows.map((row) =>
          Object.fromEntries(columns.map((name, index) => [name, row[index] as string])),
        )
        const files = await written(records, { columns, delimiter })
        const source = await new SourceUnderTest(FileSource.forCsv(`${FOLDER}/*.csv`, { delimiter }), { files }).open()
        await source.runToEnd()
        expect(source.values).toEqual(records)
      }),
      { numRuns: 100 },
    )
  })
})

describe('The options of a CSV sink', () => {
  it.each([
    [{ columns: [] }, 'columns'],
    [{ columns: ['a', 'a'] }, 'columns'],
    [{ columns: 'a' }, 'columns'],
    [{ columns: [1] }, 'columns'],
    [{ header: false }, 'columns'],
    [{ header: 'yes' }, 'header'],
    [{ delimiter: '' }, 'delimiter'],
    [{ delimiter: '::' }, 'delimiter'],
    [{ delimiter: '"' }, 'delimiter'],
    [{ delimiter: '\n' }, 'delimiter'],
  ])('are refused when the sink is made: %j', (options, named) => {
    expect(() => FileSink.forCsv(FOLDER, options as CsvFileSinkOptions<object>)).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(named) }),
    )
  })
})
