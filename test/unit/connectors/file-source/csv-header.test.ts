import { describe, expect, test } from 'vitest'
import { FileSource } from '../../../../src/connectors/file-source/file-source.ts'
import { SourceUnderTest } from '../../operators/subtask-harness.ts'
import { diskWith } from '../files-for-tests.ts'

const BAD: readonly (readonly [what: string, text: string, columns: readonly string[] | undefined])[] = [
  ['has no column that is wanted', 'origin,dealy\nHAM,5\n', ['origin', 'delay']],
  ['names a column twice', 'a,a\n1,2\n', undefined],
  ['has a quote that is not closed', '"a,b\n1,2\n', undefined],
  ['is not UTF-8', '\u00FF,b\n1,2\n', undefined],
]

describe('The header of a CSV file', () => {
  test.each(BAD)('that %s fails by the path of its file', async (_, text, columns) => {
    const bytes = Buffer.from(text, 'latin1')
    for (const options of [{}, { multiline: false, splitSize: 4 }]) {
      const files = await diskWith({ '/in/good': 'origin,delay\n', '/in/wrong.csv': bytes })
      const source = FileSource.forCsv('/in/wrong.csv', { ...options, columns: columns as readonly string[] })
      const running = new SourceUnderTest(source, { files }).open()
      await expect(running.then((opened) => opened.runToEnd())).rejects.toMatchObject({
        code: 'RECORD_INVALID',
        message: expect.stringContaining('/in/wrong.csv'),
        details: expect.objectContaining({ path: '/in/wrong.csv' }),
      })
    }
  })
})
