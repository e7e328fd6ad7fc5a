/** What stands around an operator that runs outside of a job: its vertex, its ports, its task's environment. */
import { seededIds } from '../base/ids.ts'
import { silentLogger } from '../base/logger.ts'
import type { Ports } from '../base/ports.ts'
import { seededRandom } from '../base/random.ts'
import { SimulatedFileSystem } from '../base/simulated-file-system.ts'
import { SimulatedLocks } from '../base/simulated-locks.ts'
import { eventLoopTurns } from '../base/turns.ts'
import type { VirtualClock } from '../base/virtual-clock.ts'
import type { ChainedOperator, JobVertex } from '../graph/job-graph.ts'
import { causes } from '../runtime/control/causes.ts'
import { TurnLoop } from '../runtime/data/turn-loop.ts'
import { KeyedStateBackends } from '../runtime/keyed-state-backends.ts'
import type { TaskEnvironment } from '../runtime/task-environment.ts'
import type { Scale } from './harness-snapshot.ts'

export function vertexOf(operator: ChainedOperator, { parallelism, maxParallelism }: Scale): JobVertex {
  return {
    id: operator.operatorId,
    name: operator.name,
    parallelism,
    maxParallelism,
    maxParallelismIsSet: true,
    operators: [operator],
  }
}

/** Of one harness: a disk in memory, and random numbers and names that are the same in every run. */
export function harnessPorts(clock: VirtualClock): Ports {
  const turns = eventLoopTurns()
  return {
    clock,
    turns,
    random: seededRandom(1),
    ids: seededIds(seededRandom(2)),
    files: new SimulatedFileSystem({ turns, clock }),
    locks: new SimulatedLocks(),
    logger: silentLogger,
  }
}

export function environmentOf(ports: Ports, debugFreeze: boolean): TaskEnvironment {
  const inMemory = (): never => {
    throw new Error('a harness keeps its snapshots itself')
  }
  return {
    jobId: 'e'.repeat(32),
    jobName: 'harness',
    epoch: 1,
    ports,
    settings: {
      checkpointing: true,
      checkpointingMode: 'EXACTLY_ONCE',
      checkpointsAfterTasksFinish: true,
      failTasksOnCheckpointingErrors: true,
      cancellationTimeoutMs: 180_000,
      committerRetries: 10,
      commitTimeoutMs: 60_000,
      channelCredit: 1024,
      debugFreeze,
    },
    turnLoop: new TurnLoop(ports.clock, ports.turns),
    keyedStateBackends: new KeyedStateBackends(ports, undefined, 1),
    snapshotWriter: { open: inMemory },
    snapshotReader: inMemory,
    discard() {},
    causes: causes(),
    tap: undefined,
  }
}
