/** Attacks on schemas: what they may throw and return that no schema should. One record is invalid then, and the job is told what of. */
import { describe, expect, it } from 'vitest'
import { FileSource, type InvalidRecord, OutputTag } from '../../../../src/index.ts'
import { SourceUnderTest } from '../../operators/subtask-harness.ts'
import { diskWith } from '../files-for-tests.ts'

const untyped = (value: unknown) => value as never
const throwing = (thrown: unknown) => () => {
  throw thrown
}
const standard = (validate: (value: unknown) => unknown) =>
  untyped({ '~standard': { version: 1, vendor: 'mine', validate } })

async function read(schema: unknown, onInvalid: 'skip' | 'fail') {
  const files = await diskWith({ '/in/a.jsonl': '1\n2\n3\n' })
  const onSecond = (value: unknown) => (value === 2 ? (schema as (value: unknown) => unknown)(value) : value)
  const source = await new SourceUnderTest(FileSource.forJsonLines('/in/a.jsonl', { schema: onSecond, onInvalid }), {
    files,
  }).open()
  const failure: unknown = await source.runToEnd().then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  await source.close()
  return { values: source.values, failure, warnings: source.harness().warnings }
}

const circular: { message: string; self?: unknown } = { message: 'turns' }
circular.self = circular

describe('A schema that throws', () => {
  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a text', 'no'],
    ['an empty text', ''],
    ['a number', 0],
    ['a symbol', Symbol('no')],
    ['a circle', circular],
    ['an object without prototype', Object.create(null)],
    ['an object whose message is none', { message: 1 }],
    ['an object whose text cannot be made', { toString: throwing(new Error('twice')) }],
    [
      'an error whose message cannot be read',
      Object.defineProperty(new Error('x'), 'message', { get: throwing('twice') }),
    ],
    ['a function', () => {}],
    ['a promise that rejects', Promise.resolve().then(() => undefined)],
  ])('%s makes one record invalid, and no other', async (_, thrown) => {
    const skipped = await read(throwing(thrown), 'skip')
    expect(skipped.failure).toBeUndefined()
    expect(skipped.values).toEqual([1, 3])
    expect(skipped.warnings).toHaveLength(1)
    const failed = await read(throwing(thrown), 'fail')
    expect(failed.failure).toMatchObject({ code: 'RECORD_INVALID', details: { path: '/in/a.jsonl', line: 2 } })
    expect(failed.values).toEqual([1])
  })

  it('never ends by calling itself makes its record invalid', async () => {
    const endless = (value: unknown): unknown => [endless(value)]
    expect((await read(endless, 'skip')).values).toEqual([1, 3])
  })
})

describe('A standard schema', () => {
  it.each([
    ['that answers later', async () => ({ value: 1 })],
    ['that rejects later', async () => throwing(new Error('nobody waits'))()],
  ])('%s fails the job, also where invalid records are skipped', async (_, validate) => {
    const files = await diskWith({ '/in/a.jsonl': '1\n' })
    const source = await new SourceUnderTest(
      FileSource.forJsonLines('/in/a.jsonl', { schema: standard(validate), onInvalid: 'skip' }),
      { files },
    ).open()
    await expect(source.runToEnd()).rejects.toMatchObject({ code: 'FUNCTION_RESULT_INVALID' })
    await source.close()
  })

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['issues that are no list', { issues: 'all of it' }],
    ['issues that are none', { issues: [null, undefined, 1] }],
    [
      'issues with paths that are none',
      { issues: [{ message: 'm', path: [null, undefined, Symbol('s'), { key: 1n }] }] },
    ],
  ])('that answers %s makes the record invalid, and gives it away with a message', async (_, answer) => {
    const files = await diskWith({ '/in/a.jsonl': '1\n' })
    const tag = new OutputTag<InvalidRecord>('invalid')
    const source = await new SourceUnderTest(
      FileSource.forJsonLines('/in/a.jsonl', { schema: standard(() => answer), onInvalid: tag }),
      { files },
    ).open()
    await source.runToEnd()
    expect(source.values).toEqual([])
    expect(source.harness().counts.get('skippedRecords')).toBe(1)
    await source.close()
  })
})
