/** Checkpoints without a directory end with their process: who takes them is told so. */
import { expect, it } from 'vitest'
import { silentLogger } from '../../src/base/logger.ts'
import { DiscardingSink, type StreamExecutionEnvironment } from '../../src/index.ts'
import { describeJobs } from './harness.ts'

describeJobs('A job that takes checkpoints', (newWorld) => {
  it.each<[string, (env: StreamExecutionEnvironment) => unknown, readonly unknown[]]>([
    [
      'into memory is warned that they outlive a failed task, not the process',
      (env) => env.enableCheckpointing(50),
      [expect.stringMatching(/^Job "x" has no checkpoint directory: .* Set execution\.checkpointing\.dir/)],
    ],
    [
      'into a directory is not',
      (env) => env.enableCheckpointing(50).getCheckpointConfig().setCheckpointStorage('file:///checkpoints'),
      [],
    ],
    ['not at all is not', () => {}, []],
  ])('%s', async (_, configure, expected) => {
    const world = newWorld()
    const warnings: string[] = []
    Object.assign(world.ports, { logger: { ...silentLogger, warn: (line: string) => void warnings.push(line) } })
    const env = world.env()
    configure(env)
    env.fromData([1, 2, 3]).sinkTo(new DiscardingSink())
    await world.until(env.execute('x'))
    expect(warnings).toEqual(expected)
  })
})
