import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SimulatedFileSystem } from '../../../../src/base/simulated-file-system.ts'
import { FileSource } from '../../../../src/connectors/file-source/file-source.ts'
import type { FileSplit } from '../../../../src/connectors/file-source/file-split.ts'
import { rememberingSerializer, unpacked } from '../../../../src/connectors/file-source/remembering-serializer.ts'
import type { Source } from '../../../../src/operators/source.ts'
import { SourceUnderTest, type SubtaskOptions } from '../../operators/subtask-harness.ts'
import { diskWith, inPiecesOf, writeFile } from '../files-for-tests.ts'

async function readAll<T>(source: Source<T>, options: SubtaskOptions): Promise<SourceUnderTest<T>> {
  const running = await new SourceUnderTest(source, options).open()
  await running.runToEnd()
  return running
}

const piece = fc.constantFrom('', 'a', 'b', ' ', '\r', 'ä', '€', '😀', '\uFEFF', 'a longer line than most')
const text = fc
  .tuple(
    fc.constantFrom('', '\uFEFF'),
    fc.array(fc.tuple(fc.array(piece, { maxLength: 3 }), fc.constantFrom('\n', '\r\n')), { maxLength: 25 }),
    fc.array(piece, { maxLength: 2 }),
  )
  .map(([mark, lines, last]) => mark + lines.map(([parts, end]) => parts.join('') + end).join('') + last.join(''))
const cuts = {
  splitSize: fc.integer({ min: 1, max: 60 }),
  pieces: fc.integer({ min: 1, max: 40 }),
  parallelism: fc.integer({ min: 1, max: 3 }),
  stopAt: fc.array(fc.nat(12), { minLength: 3, maxLength: 3 }),
  resumedAt: fc.integer({ min: 1, max: 3 }),
}

interface Cuts {
  readonly splitSize: number
  readonly pieces: number
  readonly parallelism: number
  readonly stopAt: readonly number[]
  readonly resumedAt: number
}

/** Read in ranges, stopped somewhere, and read on at another parallelism. */
async function inRanges<T>(source: Source<T>, on: SimulatedFileSystem, given: Cuts): Promise<readonly unknown[]> {
  const { pieces, parallelism, stopAt, resumedAt } = given
  const files = inPiecesOf(on, pieces)
  const before = await new SourceUnderTest(source, { files, parallelism }).open()
  for (let subtask = 0; subtask < parallelism; subtask++) await before.emit(stopAt[subtask] ?? 0, subtask)
  const state = await before.snapshot()
  const emitted = [...before.values]
  await before.close()
  const after = await readAll(source, { files, parallelism: resumedAt, ...state })
  return [...emitted, ...after.values]
}

const sorted = (values: readonly unknown[]) => values.map((value) => JSON.stringify(value)).sort()

describe('a file that is read in ranges', () => {
  it('gives each line once, wherever the cuts are: with empty lines, both line ends, no last one, a mark, any UTF-8', async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.record(cuts), async (content, given) => {
        const files = await diskWith({ '/in/a': content })
        const whole = await readAll(FileSource.forLines('/in/a', { splitSize: 'whole files' }), { files })
        const source = FileSource.forLines('/in/a', { splitSize: given.splitSize })
        expect(sorted(await inRanges(source, files, given))).toEqual(sorted(whole.values))
      }),
      { numRuns: 500 },
    )
  })

  it('gives each line once, in order, where one subtask reads it', async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.record(cuts), async (content, given) => {
        const files = await diskWith({ '/in/a': content })
        const whole = await readAll(FileSource.forLines('/in/a', { splitSize: 'whole files' }), { files })
        const source = FileSource.forLines('/in/a', { splitSize: given.splitSize })
        expect((await readAll(source, { files: inPiecesOf(files, given.pieces) })).values).toEqual(whole.values)
      }),
      { numRuns: 200 },
    )
  })

  it('has invalid lines once as well, and passes over blank ones around the cuts', async () => {
    const line = fc.constantFrom('1', '[2,3]', '{"a":"ä"}', '', '   ', '{', 'nope')
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 20 }), fc.record(cuts), async (lines, given) => {
        const files = await diskWith({ '/in/a': lines.join('\n') })
        const options = { onInvalid: 'skip', splitSize: given.splitSize } as const
        const read = await readAll(FileSource.forJsonLines('/in/a', options), { files })
        expect(read.harness().counts.get('skippedRecords') ?? 0).toBe(
          lines.filter((each) => each === '{' || each === 'nope').length,
        )
        const values = await inRanges(FileSource.forJsonLines('/in/a', options), files, given)
        const valid = lines.filter((each) => !['', '   ', '{', 'nope'].includes(each)).map((each) => JSON.parse(each))
        expect(sorted(values)).toEqual(sorted(valid))
      }),
      { numRuns: 200 },
    )
  })

  it('has the columns of its header in every range, and never the header as a record', async () => {
    const field = fc.constantFrom('a', '', '"q,""x"', 'ä€', 'left', 'long enough to span ranges')
    const row = fc.tuple(field, field).map((fields) => fields.join(','))
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(''), { maxLength: 4 }),
        fc.array(fc.oneof({ weight: 5, arbitrary: row }, fc.constant('')), { maxLength: 20 }),
        fc.constantFrom('header', 'picked', 'bare', 'no header'),
        fc.constantFrom('\n', '\r\n'),
        fc.record(cuts),
        async (blank, rows, kind, ending, given) => {
          const header = kind === 'header' || kind === 'picked' ? ['left,right'] : []
          const files = await diskWith({ '/in/a': [...blank, ...header, ...rows].join(ending) })
          const named = kind === 'no header' ? { columns: ['left', 'right'], header: false } : {}
          const picked = kind === 'picked' ? { columns: ['right'] } : kind === 'bare' ? { columns: ['x', 'y'] } : {}
          const options = { multiline: false, ...named, ...picked }
          const whole = await readAll(FileSource.forCsv('/in/a', { ...options, splitSize: 'whole files' }), { files })
          const source = FileSource.forCsv('/in/a', { ...options, splitSize: given.splitSize })
          expect(sorted(await inRanges(source, files, given))).toEqual(sorted(whole.values))
        },
      ),
      { numRuns: 400 },
    )
  })

  it('gives each line once in more ranges than are dealt out at a time', async () => {
    const lines = Array.from({ length: 130 }, (_, index) => `line ${index}`)
    const files = await diskWith({ '/in/a': lines.join('\n') })
    const given = { splitSize: 1, pieces: 1, parallelism: 1, stopAt: [100], resumedAt: 2 }
    const source = FileSource.forLines('/in/a', { splitSize: 1 })
    expect(sorted(await inRanges(source, files, given))).toEqual(sorted(lines))
  })

  it('is cut into ranges of equal size, shared by the subtasks', async () => {
    const lines = Array.from({ length: 100 }, (_, index) => String(index).padStart(9, '0'))
    const files = await diskWith({ '/in/a': `${lines.join('\n')}\n` })
    const running = await new SourceUnderTest(FileSource.forLines('/in/a', { splitSize: 300 }), {
      files,
      parallelism: 2,
    }).open()
    await new Promise((settle) => setImmediate(settle))
    await running.runToEnd()
    expect(running.values.toSorted()).toEqual(lines)
    for (const harness of running.harnesses) expect(harness.values.length).toBeGreaterThan(20)
  })

  it('is left whole when it is small, packed, or a record may span lines', async () => {
    const files = await diskWith({ '/in/a': 'a\nb\nc\n', '/in/b.csv': 'a\n1\n2\n' })
    const splitsOf = async (source: Source<unknown>) => {
      const running = await new SourceUnderTest(source, { files }).open()
      await running.emit(1)
      const { enumeratorState } = await running.snapshot()
      await running.close()
      const { unassigned } = enumeratorState as { unassigned: ArrayBuffer }
      return [...unpacked(unassigned, rememberingSerializer<FileSplit>())].length + 1
    }
    expect(await splitsOf(FileSource.forLines('/in/a', { splitSize: 2 }))).toBe(3)
    expect(await splitsOf(FileSource.forLines('/in/a'))).toBe(1)
    expect(await splitsOf(FileSource.forCsv('/in/b.csv', { splitSize: 2 }))).toBe(1)
    expect(await splitsOf(FileSource.forCsv('/in/b.csv', { splitSize: 2, multiline: false }))).toBe(3)
  })

  it('fails by its name when it was replaced between two ranges', async () => {
    const files = await diskWith({ '/in/a': 'one\ntwo\nthree\nfour\n' })
    const running = await new SourceUnderTest(FileSource.forLines('/in/a', { splitSize: 5 }), { files }).open()
    await running.emit(1)
    await files.execute([{ type: 'unlink', path: '/in/a' }])
    await writeFile(files, '/in/a', 'one\ntwo\nthree\nfour\n')
    await expect(running.runToEnd()).rejects.toMatchObject({
      code: 'SOURCE_CHANGED',
      message: expect.stringContaining('/in/a was replaced'),
    })
  })

  it('names the byte of an invalid record where nobody has counted lines', async () => {
    const files = await diskWith({ '/in/a': '1\n2\n3\n4\nnope\n' })
    const source = FileSource.forJsonLines('/in/a', { splitSize: 4 })
    await expect(readAll(source, { files })).rejects.toMatchObject({
      message: expect.stringContaining('/in/a, byte 8: '),
      details: { offset: 8, text: 'nope' },
    })
  })
})

describe('CSV of which a line is a record', () => {
  it('has an invalid record where a quote is not closed on its line, and goes on behind it', async () => {
    const files = await diskWith({ '/in/a': 'a,b\n1,"2\n3,4\n' })
    const options = { multiline: false, onInvalid: 'skip' } as const
    const running = await readAll(FileSource.forCsv('/in/a', options), { files })
    expect(running.values).toEqual([{ a: '3', b: '4' }])
    await expect(readAll(FileSource.forCsv('/in/a', { multiline: false }), { files })).rejects.toMatchObject({
      message: expect.stringContaining('the quote of field 2 is not closed'),
      details: { line: 2, text: '1,"2' },
    })
  })

  it('fails when its header cannot be read, also where invalid records are skipped', async () => {
    for (const header of [Buffer.from([0xff, 0x0a]), Buffer.from('a,"b\n')]) {
      const files = await diskWith({ '/in/a': Buffer.concat([header, Buffer.from('1,2\n')]) })
      const source = FileSource.forCsv('/in/a', { multiline: false, onInvalid: 'skip' })
      await expect(readAll(source, { files })).rejects.toMatchObject({
        code: 'RECORD_INVALID',
        message: expect.stringContaining('may be its header'),
      })
    }
  })
})
