import { describe, expect, test } from 'vitest'
import { silentLogger } from '../../../../src/base/logger.ts'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import type { FileSplit } from '../../../../src/connectors/file-source/file-split.ts'
import {
  FollowingEnumerator,
  type FollowingState,
} from '../../../../src/connectors/file-source/following-enumerator.ts'
import {
  packed,
  rememberingSerializer,
  unpacked,
} from '../../../../src/connectors/file-source/remembering-serializer.ts'
import { diskWith } from '../files-for-tests.ts'

const SERIALIZER = rememberingSerializer<object>()
const split = (id: string): FileSplit => ({ id, path: `/in/${id}`, offset: 0, lines: 0 })
const RESTORED: FollowingState = {
  found: packed([{ path: '/in/a' }, { path: '/in/b' }], SERIALIZER),
  unassigned: packed([split('b')], SERIALIZER),
  counted: 2,
  dealt: 1,
}

async function restored() {
  const dealt: string[] = []
  const enumerator = new FollowingEnumerator({
    context: {
      parallelism: 1,
      environment: { clock: new VirtualClock(), files: await diskWith({}), logger: silentLogger },
      registeredReaders: () => [0],
      assignSplits: (_, splits) => void dealt.push(...splits.map(({ id }) => id)),
      signalNoMoreSplits() {},
      callAsync() {},
      callPeriodically() {},
      setIsProcessingBacklog() {},
      fail() {},
    },
    restored: RESTORED,
    inputs: ['/in'],
    monitorMs: 100,
    splitBytes: 1000,
  })
  return { enumerator, dealt }
}

describe('The enumerator of followed files, before its first look', () => {
  test('gives the state back that it was restored from, as it is', async () => {
    const { enumerator } = await restored()
    expect(enumerator.snapshotState()).toBe(RESTORED)
  })

  test('still knows all files when it has dealt out what was left', async () => {
    const { enumerator, dealt } = await restored()
    enumerator.addReader()
    const { found, unassigned, counted, dealt: count } = enumerator.snapshotState()
    expect(dealt).toEqual(['b'])
    expect([...unpacked(found, SERIALIZER)]).toEqual([{ path: '/in/a' }, { path: '/in/b' }])
    expect([[...unpacked(unassigned, SERIALIZER)], counted, count]).toEqual([[], 2, 2])
  })
})
