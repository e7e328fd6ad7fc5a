import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fieldsOf, isOpenBehind } from '../../../../src/connectors/file-source/csv-fields.ts'

describe('the fields of a CSV record', () => {
  it('are those that another parser finds, which also refuses what is refused here', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ' ', ',', '"', '""', 'ä') })
    fc.assert(
      fc.property(
        text.filter((record) => record !== ''),
        (record) => {
          const ours = outcome(() => fieldsOf(record, ','))
          const theirs = outcome(() => parse(record, { relax_column_count: true })[0] ?? [''])
          expect(ours).toEqual(theirs)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('come back from any texts that were quoted, with delimiters of several characters', () => {
    const field = fc.string({ unit: fc.constantFrom('a', ',', ';', '|', '"', '\n', 'ä') })
    fc.assert(
      fc.property(fc.array(field, { minLength: 1 }), fc.constantFrom(',', ';', '||', 'ä'), (fields, delimiter) => {
        const record = fields.map((each) => `"${each.replaceAll('"', '""')}"`).join(delimiter)
        expect(fieldsOf(record, delimiter)).toEqual(fields)
      }),
    )
  })

  it('leave a line open exactly where a quoted field goes on', () => {
    const field = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n') })
    fc.assert(
      fc.property(fc.array(field, { minLength: 1, maxLength: 4 }), (fields) => {
        const record = fields.map((each) => `"${each.replaceAll('"', '""')}"`).join(',')
        const lines = record.split('\n')
        let open = false
        for (const [index, line] of lines.entries()) {
          open = isOpenBehind(line, ',', open)
          expect(open).toBe(index + 1 < lines.length)
        }
      }),
    )
  })
})

function outcome(act: () => readonly string[]): readonly string[] | 'refused' {
  try {
    return act()
  } catch {
    return 'refused'
  }
}
