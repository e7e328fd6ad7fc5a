/** What tests of `execution.debug-freeze` share: records that may be changed by mistake, and how that shows. */
import { expect } from 'vitest'
import type { StreamExecutionEnvironment } from '../../src/index.ts'
import type { World } from './harness.ts'

export interface Count {
  key: string
  n: number
  tags: string[]
}

export const counts = (): Count[] => [
  { key: 'a', n: 1, tags: ['x', 'w'] },
  { key: 'a', n: 2, tags: ['y'] },
]

export const checked = (world: World): StreamExecutionEnvironment =>
  world.env().configure({ 'execution.debug-freeze': true })

/** The job fails for good, with the TypeError that the engine threw at the line of `file`, and a hint. */
export async function expectChangeFound(world: World, env: StreamExecutionEnvironment, file: string): Promise<void> {
  const failure = await world.failure(env.execute('x'))
  expect(failure).toMatchObject({ code: 'JOB_FAILED', hint: expect.stringContaining('must not be changed') })
  expect(failure.cause).toBeInstanceOf(TypeError)
  expect((failure.cause as TypeError).stack).toContain(file)
  expect(world.ofType('restart.scheduled')).toEqual([])
}
