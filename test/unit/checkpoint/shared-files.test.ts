import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SharedFiles } from '../../../src/checkpoint/shared-files.ts'

describe('A shared file is deleted', () => {
  test('when no published checkpoint names it any more', () => {
    const files = new SharedFiles()
    files.publish('chk-1', ['a', 'b'])
    files.publish('chk-2', ['b'])
    files.retire('chk-1')
    expect(files.take()).toEqual(['a'])
    files.retire('chk-2')
    expect(files.take()).toEqual(['a', 'b'])
  })

  test('not while a checkpoint is pending that began when a published one still named it', () => {
    const files = new SharedFiles()
    files.publish('chk-1', ['a'])
    files.begin(3)
    files.retire('chk-1')
    expect(files.take()).toEqual([])
    files.begin(4)
    files.end(3)
    expect(files.take()).toEqual(['a'])
  })

  test('not when the pending checkpoint was published and names it', () => {
    const files = new SharedFiles()
    files.publish('chk-1', ['a'])
    files.begin(2)
    files.retire('chk-1')
    files.publish('chk-2', ['a'])
    files.end(2)
    expect(files.take()).toEqual([])
  })

  test('again, until the disk has deleted it; meanwhile nobody may name it', () => {
    const files = new SharedFiles()
    files.publish('chk-1', ['a'])
    files.retire('chk-1')
    expect(files.take()).toEqual(['a'])
    expect(files.missing(['a'])).toBe('a')
    expect(files.knows('a')).toBe(true)
    expect(files.take()).toEqual(['a'])
    files.deleted(['a'])
    expect(files.take()).toEqual([])
    expect(files.knows('a')).toBe(false)
  })

  test('only when it was counted once for each checkpoint, however often that is told', () => {
    const files = new SharedFiles()
    files.publish('chk-1', ['a'])
    files.publish('chk-1', ['a'])
    files.retire('chk-1')
    files.retire('chk-1')
    expect(files.take()).toEqual(['a'])
  })
})

test('whatever happens in whichever order, no file is deleted that a published checkpoint names or a pending one may name', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('begin', 'publish', 'giveUp', 'retire', 'take'), fc.nat(9)), {
    maxLength: 80,
  })
  fc.assert(
    fc.property(steps, (script) => {
      const files = new SharedFiles()
      const published = new Map<number, readonly string[]>()
      /** What a pending checkpoint may name: whatever a published one named when it began. */
      const pending = new Map<number, ReadonlySet<string>>()
      const deleted = new Set<string>()
      let next = 1
      for (const [step, draw] of script) {
        const begun = [...pending.keys()][draw % Math.max(1, pending.size)]
        const old = [...published.keys()][draw % Math.max(1, published.size)]
        if (step === 'begin') {
          files.begin(next)
          pending.set(next++, new Set([...published.values()].flat()))
        } else if (step === 'publish' && begun !== undefined) {
          const older = [...(pending.get(begun) ?? [])].filter((_, index) => (draw + index) % 2 === 0)
          if (files.missing(older) !== undefined) return false
          files.publish(`chk-${begun}`, [...older, `f${begun}`])
          files.end(begun)
          published.set(begun, [...older, `f${begun}`])
          pending.delete(begun)
        } else if (step === 'giveUp' && begun !== undefined) {
          files.end(begun)
          pending.delete(begun)
        } else if (step === 'retire' && old !== undefined) {
          files.retire(`chk-${old}`)
          published.delete(old)
        } else if (step === 'take') {
          const names = files.take()
          const needed = new Set([...published.values(), ...[...pending.values()].map((one) => [...one])].flat())
          if (names.some((name) => needed.has(name))) return false
          files.deleted(names)
          for (const name of names) deleted.add(name)
        }
      }
      // And nothing stays that nobody can name.
      for (const id of pending.keys()) files.end(id)
      for (const id of published.keys()) files.retire(`chk-${id}`)
      const all = new Set([...deleted, ...files.take()])
      return Array.from({ length: next - 1 }, (_, index) => `f${index + 1}`).every(
        (name) => all.has(name) || !files.knows(name),
      )
    }),
    { numRuns: 300 },
  )
})
