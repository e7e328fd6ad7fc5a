import { describe, expect, it } from 'vitest'
import { type PlanEdge, type PlanTask, planCheckpoint } from '../../../../src/runtime/control/checkpoint-plan.ts'

const vertex = (name: string, ...states: readonly string[]) => ({
  tasks: states.map((state, subtask): PlanTask => ({ task: `${name}${subtask}`, attempt: 2, state })),
})
const plan = (
  vertices: readonly ReturnType<typeof vertex>[],
  edges: readonly PlanEdge[],
  checkpointsAfterTasksFinish = true,
) => {
  const { trigger, waitFor, commitTo, finished, notRunning } = planCheckpoint({
    vertices,
    edges,
    checkpointsAfterTasksFinish,
  })
  const names = (tasks: readonly { task: string }[]) => tasks.map(({ task }) => task).join(' ')
  return { trigger: names(trigger), waitFor: names(waitFor), commitTo: names(commitTo), finished, notRunning }
}
const allToAll = (from: number, to: number): PlanEdge => ({ from, to, pattern: 'allToAll' })
const pointwise = (from: number, to: number): PlanEdge => ({ from, to, pattern: 'pointwise' })
const R = 'RUNNING'
const F = 'FINISHED'

describe('the plan of a checkpoint', () => {
  it('triggers the sources and waits for everybody, by their attempts', () => {
    const vertices = [vertex('s', R, R), vertex('m', R)]
    expect(plan(vertices, [allToAll(0, 1)])).toEqual({
      trigger: 's0 s1',
      waitFor: 's0 s1 m0',
      commitTo: 's0 s1 m0',
      finished: [],
      notRunning: [],
    })
    expect(planCheckpoint({ vertices, edges: [], checkpointsAfterTasksFinish: true }).waitFor[0]).toEqual({
      task: 's0',
      attempt: 2,
    })
  })

  it('triggers those behind finished tasks, when all that they read from have finished', () => {
    expect(plan([vertex('s', F, F), vertex('m', R)], [allToAll(0, 1)])).toMatchObject({
      trigger: 'm0',
      waitFor: 'm0',
      finished: ['s0', 's1'],
    })
    expect(plan([vertex('s', F, R), vertex('m', R)], [allToAll(0, 1)])).toMatchObject({
      trigger: 's1',
      waitFor: 's1 m0',
    })
  })

  it('looks at every input', () => {
    expect(plan([vertex('a', F), vertex('b', R), vertex('j', R)], [allToAll(0, 2), allToAll(1, 2)])).toMatchObject({
      trigger: 'b0',
    })
  })

  it('looks at those alone from which a subtask reads', () => {
    expect(plan([vertex('s', F, R), vertex('m', R, R)], [pointwise(0, 1)])).toMatchObject({ trigger: 's1 m0' })
    expect(plan([vertex('s', F, R, F, F), vertex('m', R, R)], [pointwise(0, 1)])).toMatchObject({ trigger: 's1 m1' })
    expect(plan([vertex('s', F, R), vertex('m', R, R, R, R)], [pointwise(0, 1)])).toMatchObject({ trigger: 's1 m0 m1' })
  })

  it('is refused while a needed task does not run', () => {
    expect(plan([vertex('s', R), vertex('m', 'INITIALIZING', R)], [allToAll(0, 1)]).notRunning).toEqual(['m0'])
  })

  it('is refused after any end where checkpoints after the end of tasks are off', () => {
    expect(plan([vertex('s', F), vertex('m', R)], [allToAll(0, 1)], false).notRunning).toEqual(['s0'])
  })
})
