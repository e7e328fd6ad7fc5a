import { describe, expect, expectTypeOf, it } from 'vitest'
import { FileSource } from '../../../../src/connectors/file-source/file-source.ts'
import type { StandardResult, StandardSchema } from '../../../../src/connectors/file-source/record-schema.ts'
import type { Source } from '../../../../src/operators/source.ts'
import { SourceUnderTest, type SubtaskOptions } from '../../operators/subtask-harness.ts'
import { diskWith } from '../files-for-tests.ts'

async function readAll<T>(source: Source<T>, options: SubtaskOptions): Promise<SourceUnderTest<T>> {
  const running = await new SourceUnderTest(source, options).open()
  await running.runToEnd()
  return running
}

interface Order {
  readonly id: string
  readonly amount: number
}

function validateOrder(value: unknown): StandardResult<Order> {
  const { id, amount, lines } = value as { id?: unknown; amount?: unknown; lines?: unknown }
  if (typeof id !== 'string') return { issues: [{ message: 'is no text', path: ['id'] }, { message: 'no order' }] }
  if (lines !== undefined) return { issues: [{ message: 'is unknown', path: [{ key: 'lines' }, 0] }] }
  return { value: { id, amount: Number(amount) } }
}

const order: StandardSchema<Order> = { '~standard': { version: 1, vendor: 'tests', validate: validateOrder } }
/** As those of some libraries are. */
const callable = Object.assign((value: unknown) => value, order)

describe('a standard schema', () => {
  it('types the source and changes the values', async () => {
    const source = FileSource.forJsonLines('/in/a', { schema: order })
    expectTypeOf(source).toEqualTypeOf<FileSource<Order>>()
    expectTypeOf(FileSource.forJsonLines('/in/a', { schema: callable })).toEqualTypeOf<FileSource<Order>>()
    const files = await diskWith({ '/in/a': '{"id":"x","amount":"7","more":1}\n' })
    for (const schema of [order, callable])
      expect((await readAll(FileSource.forJsonLines('/in/a', { schema }), { files })).values).toEqual([
        { id: 'x', amount: 7 },
      ])
  })

  it('types CSV as well, and sees objects of texts', async () => {
    const source = FileSource.forCsv('/in/a', { columns: ['id', 'amount'], schema: order })
    expectTypeOf(source).toEqualTypeOf<FileSource<Order>>()
    const files = await diskWith({ '/in/a': 'amount,id\n7,x\n' })
    expect((await readAll(source, { files })).values).toEqual([{ id: 'x', amount: 7 }])
  })

  it('has its issues in the error, with file, line and the text', async () => {
    const files = await diskWith({
      '/in/a': `{"id":"x"}\n{"id":1,"pad":"${'y'.repeat(300)}"}\n`,
      '/in/b': '{"id":"x","lines":[]}',
    })
    await expect(readAll(FileSource.forJsonLines('/in/a', { schema: order }), { files })).rejects.toMatchObject({
      code: 'RECORD_INVALID',
      message: expect.stringMatching(
        /^\/in\/a, line 2: id: is no text; no order\. There stands "\{\\"id\\":1.{150,250}…"\.$/,
      ),
      details: { path: '/in/a', line: 2, offset: 11, issues: ['id: is no text', 'no order'] },
    })
    await expect(readAll(FileSource.forJsonLines('/in/b', { schema: order }), { files })).rejects.toMatchObject({
      message: expect.stringContaining('lines.0: is unknown'),
    })
  })

  it('that answers with a promise fails the job, also where invalid records are skipped', async () => {
    const files = await diskWith({ '/in/a': '1\n' })
    const later: StandardSchema<number> = {
      '~standard': { version: 1, vendor: 'tests', validate: async () => ({ value: 1 }) },
    }
    const rejecting: StandardSchema<number> = {
      '~standard': { version: 1, vendor: 'tests', validate: () => Promise.reject(new Error('no')) },
    }
    for (const schema of [later, rejecting])
      await expect(
        readAll(FileSource.forJsonLines('/in/a', { schema, onInvalid: 'skip' }), { files }),
      ).rejects.toMatchObject({ code: 'FUNCTION_RESULT_INVALID', message: expect.stringContaining('a promise') })
  })

  it('that throws makes the record invalid', async () => {
    const files = await diskWith({ '/in/a': '1\nnull\n2\n' })
    const schema: StandardSchema<number> = {
      '~standard': {
        version: 1,
        vendor: 'tests',
        validate(value) {
          if (value === null) throw new TypeError('null!')
          return { value: Number(value) }
        },
      },
    }
    const read = await readAll(FileSource.forJsonLines('/in/a', { schema, onInvalid: 'skip' }), { files })
    expect(read.values).toEqual([1, 2])
  })
})

describe('a function as a schema', () => {
  it('types the source by what it returns; an asynchronous one does not compile, and is refused', async () => {
    const source = FileSource.forJsonLines('/in/a', { schema: (value) => ({ n: Number(value) }) })
    expectTypeOf(source).toEqualTypeOf<FileSource<{ n: number }>>()
    // @ts-expect-error an asynchronous function is no schema
    const asynchronous = FileSource.forJsonLines('/in/a', { schema: async (value) => value })
    const files = await diskWith({ '/in/a': '1\n' })
    await expect(readAll(asynchronous, { files })).rejects.toMatchObject({ code: 'FUNCTION_RESULT_INVALID' })
  })
})

describe('the options of a file source', () => {
  it('are checked when it is made', () => {
    // @ts-expect-error a text is no schema
    expect(() => FileSource.forJsonLines('x', { schema: 'number' })).toThrow('`schema` is of type string')
    // @ts-expect-error neither a word that is known nor a tag
    expect(() => FileSource.forLines('x', { onInvalid: 'drop' })).toThrow('`onInvalid`')
    expect(() => FileSource.forLines('x', { closeAfter: 1000 })).toThrow('`closeAfter`')
    expect(() => FileSource.forLines('x', { monitorContinuously: 0 })).toThrow('monitorContinuously')
    expect(() => FileSource.forLines('x', { splitSize: 0 })).toThrow('splitSize')
    expect(() => FileSource.forCsv('x', { delimiter: '\n' })).toThrow('`delimiter`')
  })

  it('say whether it ends', () => {
    expect(FileSource.forLines('x').boundedness).toBe('bounded')
    expect(FileSource.forLines('x', { monitorContinuously: '1 s' }).boundedness).toBe('continuous-unbounded')
  })
})
