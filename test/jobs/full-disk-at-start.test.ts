/** A checkpoint disk that is full before a job has begun, and has room again when the program is started once more. */
import { expect, it } from 'vitest'
import { DiscardingSink, RestartStrategies, type StreamError } from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'

const execute = (world: World) => {
  const env = world.env()
  env.enableCheckpointing(100).getCheckpointConfig().setCheckpointStorage('/checkpoints')
  env.setRestartStrategy(RestartStrategies.fixedDelayRestart(2, 10))
  env.fromData([1, 2, 3]).sinkTo(new DiscardingSink())
  return env.execute('x', { resume: 'latest' })
}

/** From this one on every operation that needs room is refused. The last ones are those of the record of the beginning. */
const OPERATIONS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]

describeJobs('A job whose checkpoint disk is full when it starts', (newWorld) => {
  it.each(OPERATIONS)(
    'says what helps, from operation %i on, and finishes when the program is started again',
    async (full) => {
      const world = newWorld()
      let operation = 0
      world.files.interfere = ({ type }) =>
        ['create', 'write', 'sync', 'makeFolder'].includes(type) && ++operation >= full
          ? { type: 'fail', code: 'ENOSPC' }
          : undefined
      const error: StreamError = await world.until(
        execute(world).then(
          () => expect.fail('it finished'),
          (thrown: StreamError) => thrown,
        ),
      )
      const refused = error.code === 'JOB_FAILED' ? (error.cause as StreamError) : error
      expect(refused).toMatchObject({
        code: 'FILE_ERROR',
        message: expect.stringMatching(/^Job "x" could not be started: Could not .*\/checkpoints\/.*: ENOSPC/),
        hint: expect.stringMatching(/^The disk is full: .* start the program again/),
        details: { systemCode: 'ENOSPC', path: expect.stringContaining('/checkpoints/') },
      })
      expect(world.ofType('restart.scheduled')).toEqual([])
      world.files.interfere = undefined
      await world.until(execute(world))
    },
  )
})
