import { describe, expect, it } from 'vitest'
import { FileSource } from '../../../../src/connectors/file-source/file-source.ts'
import { SourceUnderTest } from '../../operators/subtask-harness.ts'
import { diskWith } from '../files-for-tests.ts'

describe.each([
  ['read once', {}],
  ['followed', { monitorContinuously: 100 }],
])('the position in a file that is %s', (_, mode) => {
  it('is behind an invalid record as soon as that was passed over', async () => {
    const files = await diskWith({ '/in/a': '1\nnope\nneither\n"bad\n5\n' })
    const source = () => FileSource.forJsonLines('/in/a', { ...mode, onInvalid: 'skip' })
    for (let passed = 0; passed <= 3; passed++) {
      const before = await new SourceUnderTest(source(), { files }).open()
      await pollUntil(before, (count) => count === passed && before.values.length === 1)
      const state = await before.snapshot()
      await before.close()
      const after = await new SourceUnderTest(source(), { files, ...state }).open()
      await pollUntil(after, () => after.values.length === 1)
      expect(after.values).toEqual([5])
      expect(after.harness().counts.get('skippedRecords') ?? 0).toBe(3 - passed)
      await after.close()
    }
  })
})

/** One record at a time; what is read ahead comes between two turns of the event loop. */
async function pollUntil(running: SourceUnderTest<unknown>, done: (skipped: number) => boolean): Promise<void> {
  for (let round = 0; round < 1000; round++) {
    if (done(running.harness().counts.get('skippedRecords') ?? 0)) return
    running.operator().emitNext(1)
    await new Promise((settle) => setImmediate(settle))
    if (running.harness().values.length === 0) running.harness().clock.runNext()
  }
  throw new Error('It did not come to that.')
}
