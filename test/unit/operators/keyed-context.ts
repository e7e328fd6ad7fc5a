/** An operator context with keyed state, timers and the gate of a real subtask, for operators that are run by hand. */
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import type { OperatorContext } from '../../../src/operators/operator.ts'
import { SubtaskGate } from '../../../src/runtime/data/subtask-gate.ts'
import { type MemoryStateBackend, memoryStateBackend } from '../../../src/state/memory/memory-state-backend.ts'
import { createTimerService } from '../../../src/state/timers.ts'
import { SubtaskHarness } from './subtask-harness.ts'

export class KeyedContext {
  readonly clock = new VirtualClock()
  readonly harness = new SubtaskHarness({ clock: this.clock })
  readonly backend: MemoryStateBackend = memoryStateBackend({
    maxParallelism: 128,
    keyGroups: { first: 0, last: 127 },
    clock: this.clock,
  })
  readonly gate = new SubtaskGate({ wake() {}, failed() {}, monotonicMs: () => this.clock.monotonic() })
  /** Records and times in the order in which they left the operator. */
  readonly out: unknown[] = []
  /** The output has room for one record; `takeOne` makes room. */
  tight = false

  readonly context: OperatorContext = {
    ...this.harness.context,
    keyedState: this.backend,
    gate: this.gate,
    resumeLater: (work) => this.gate.resumeLater(work),
    timerService: (target) => createTimerService({ backend: this.backend, clock: this.clock, target, due() {} }),
    output: {
      processElement: (value) => {
        this.out.push(value)
        if (this.tight) this.gate.outputFull()
      },
      processWatermark: (timestamp) => void this.out.push(timestamp),
      processWatermarkStatus: (idle) => void this.out.push(idle ? 'idle' : 'active'),
    },
  }

  takeOne(): void {
    this.gate.outputFree()
    this.gate.resume()
  }
}
