import { describe, expect, it } from 'vitest'
import { SplitWatermarks } from '../../../src/operators/split-watermarks.ts'

function combiner() {
  const seen: (number | string)[] = []
  const watermarks = new SplitWatermarks({
    processWatermark: (timestamp) => void seen.push(timestamp),
    processWatermarkStatus: (idle) => void seen.push(idle ? 'idle' : 'active'),
  })
  return { watermarks, seen }
}

describe('watermarks of splits', () => {
  it('are combined by minimum and never go back', () => {
    const { watermarks, seen } = combiner()
    const a = watermarks.add('a')
    const b = watermarks.add('b')
    a.emitWatermark(10)
    expect(seen).toEqual([])
    b.emitWatermark(5)
    b.emitWatermark(3)
    b.emitWatermark(20)
    expect(seen).toEqual([5, 10])
  })

  it('are held back by a split that was just added', () => {
    const { watermarks, seen } = combiner()
    const a = watermarks.add('a')
    a.emitWatermark(10)
    const b = watermarks.add('b')
    a.emitWatermark(30)
    b.emitWatermark(7)
    b.emitWatermark(25)
    expect(seen).toEqual([10, 25])
  })

  it('are not held back by an idle or by a finished split', () => {
    const { watermarks, seen } = combiner()
    const a = watermarks.add('a')
    const b = watermarks.add('b')
    a.emitWatermark(10)
    b.markIdle()
    expect(seen).toEqual([10])
    a.emitWatermark(20)
    b.markActive()
    a.emitWatermark(30)
    expect(seen).toEqual([10, 20])
    watermarks.remove('b')
    expect(seen).toEqual([10, 20, 30])
  })

  it('show idleness only when all splits are idle, behind the largest watermark', () => {
    const { watermarks, seen } = combiner()
    const a = watermarks.add('a')
    const b = watermarks.add('b')
    a.emitWatermark(100)
    b.emitWatermark(50)
    a.markIdle()
    b.markIdle()
    b.markIdle()
    expect(seen).toEqual([50, 100, 'idle'])
    a.emitWatermark(110)
    expect(seen).toEqual([50, 100, 'idle', 'active', 110])
  })

  it('of records outside of splits are not held back by splits', () => {
    const { watermarks, seen } = combiner()
    watermarks.add('a')
    watermarks.main.emitWatermark(4)
    watermarks.main.markIdle()
    watermarks.main.markActive()
    expect(seen).toEqual([4, 'idle', 'active'])
  })

  it('make a reader without splits idle when it was silent, until it gets a split', () => {
    const { watermarks, seen } = combiner()
    watermarks.silent()
    expect(seen).toEqual(['idle'])
    watermarks.add('a')
    expect(seen).toEqual(['idle', 'active'])
  })
})
