/** The synchronous part of a snapshot, when one of the operators refuses. */
import { describe, expect, it } from 'vitest'
import type { Operator } from '../../../src/operators/operator.ts'
import { Blame } from '../../../src/runtime/blame.ts'
import type { OperatorRuntime } from '../../../src/runtime/operator-runtime.ts'
import { freezeSubtask } from '../../../src/runtime/subtask-snapshot.ts'

function runtime(frozen: Set<string>, name: string, snapshot: () => Uint8Array | undefined) {
  const freeze = () => {
    frozen.add(name)
    return { release: () => void frozen.delete(name) }
  }
  return {
    operator: { operatorId: name, name },
    keyedState: { freeze },
    operatorState: { snapshot },
  } as unknown as OperatorRuntime
}

describe('A snapshot of which a part cannot be taken', () => {
  it('leaves nothing frozen, also of the operator that refused, and no rejection that nobody hears', async () => {
    const unhandled: unknown[] = []
    const note = (reason: unknown) => void unhandled.push(reason)
    process.on('unhandledRejection', note)
    const frozen = new Set<string>()
    const refused = new Error('not serialisable')
    const refuse = () => {
      throw refused
    }
    const runtimes = [runtime(frozen, 'first', () => undefined), runtime(frozen, 'second', refuse)]
    const operators = runtimes.map(() => ({
      snapshotState: () => Promise.reject(new Error('not durable')),
    })) as unknown as Operator[]
    const blame = new Blame()
    expect(() => freezeSubtask(runtimes, operators, 1, 'checkpoint', { subtask: 0, blame })).toThrow(refused)
    expect(blame.of(refused)).toBe('second')
    expect([...frozen]).toEqual([])
    await new Promise((resolve) => void setImmediate(resolve))
    process.off('unhandledRejection', note)
    expect(unhandled).toEqual([])
  })
})
