/**
 * The tasks' side of the link: makes subtasks, connects those that are deployed together, and passes orders on. Decides
 * nothing.
 */
import type { JobGraph, JobVertex } from '../graph/job-graph.ts'
import { EdgeSizes } from './edge-sizes.ts'
import { connect } from './exchange.ts'
import type { TaskFact, TaskOrder } from './link.ts'
import { tasksOf } from './restore-assignment.ts'
import { StreamTask } from './stream-task.ts'
import type { TaskEnvironment } from './task-environment.ts'
import { TaskMeters } from './task-meters.ts'

export class TaskExecutor {
  readonly #graph: JobGraph
  readonly #environment: TaskEnvironment
  readonly #tell: (fact: TaskFact) => void
  /** Each in its newest attempt: an older one is gone before a new one is deployed. */
  #tasks: readonly StreamTask[] = []
  readonly #sizes: EdgeSizes
  readonly meters = new TaskMeters()

  constructor(graph: JobGraph, environment: TaskEnvironment, tell: (fact: TaskFact) => void) {
    this.#graph = graph
    this.#environment = environment
    this.#tell = tell
    this.#sizes = new EdgeSizes(graph, environment.ports.clock)
  }

  obey(order: TaskOrder): void {
    switch (order.type) {
      case 'deployTasks':
        return this.#deploy(order)
      case 'cancelTask':
        return this.#find(order)?.cancel()
      case 'triggerCheckpoint':
        return this.#find(order)?.triggerCheckpoint(order.barrier, order.drain)
      case 'notifyCheckpointComplete':
        return this.#find(order)?.notifyCheckpointComplete(order.checkpointId)
      case 'notifyCheckpointAborted':
        return this.#find(order)?.notifyCheckpointAborted(order.checkpointId)
      case 'sendSourceEvent':
        return this.#find(order)?.takeSourceEvent(order.event)
      default:
        return order satisfies never
    }
  }

  /** The job is over: a task that could not be told so is cancelled; what tasks held is let go of, their figures stay. */
  end(): void {
    this.meters.end()
    for (const task of this.#tasks) task.cancel()
    this.#tasks = []
  }

  #deploy({
    attempt,
    checkpointId,
    location,
    mayReuse,
    drained,
    restores,
  }: Extract<TaskOrder, { type: 'deployTasks' }>): void {
    const places = tasksOf(this.#graph)
    const tasks = restores.map((restore) => {
      const { vertex, subtask, name } = places[restore.task] as (typeof places)[number]
      const options = {
        task: restore.task,
        attempt,
        graph: this.#graph,
        vertexIndex: vertex,
        vertex: this.#graph.vertices[vertex] as JobVertex,
        subtask,
        name,
        restore,
        restoredCheckpointId: checkpointId ?? undefined,
        location: location ?? undefined,
        mayReuse,
        drained,
        environment: this.#environment,
        tell: this.#tell,
      }
      return new StreamTask(options, this.#sizes)
    })
    const others = this.#tasks.filter(({ options }) => !restores.some(({ task }) => task === options.task))
    this.#tasks = [...others, ...tasks]
    this.meters.deployed(tasks.map(({ options, meter }) => ({ task: options.task, meter })))
    const { settings, ports, turnLoop } = this.#environment
    const members = tasks.map(({ gate, options }) => ({
      vertex: options.vertexIndex,
      subtask: options.subtask,
      gate,
      wakeable: turnLoop,
    }))
    const connections = connect(this.#graph, members, settings.channelCredit, ports.random, settings.debugFreeze)
    tasks.forEach((task, index) => {
      task.start(connections[index] as (typeof connections)[number])
    })
  }

  #find({ task, attempt }: { readonly task: number; readonly attempt: number }): StreamTask | undefined {
    return this.#tasks.find(({ options }) => options.task === task && options.attempt === attempt)
  }
}
