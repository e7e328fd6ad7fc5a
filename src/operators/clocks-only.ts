/** The timer service where no timer can be set: the clocks can be read, everything else is refused. */
import type { Clocks, TimerService } from './functions.ts'

export function clocksOnly({ currentWatermark, currentProcessingTime }: Clocks, refuse: () => never): TimerService {
  return {
    registerEventTimeTimer: refuse,
    registerProcessingTimeTimer: refuse,
    deleteEventTimeTimer: refuse,
    deleteProcessingTimeTimer: refuse,
    currentWatermark,
    currentProcessingTime,
  }
}
