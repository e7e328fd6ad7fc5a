/** The real ports, made once in a process and not before the first execution: the disk thread behind them is shared. */
import { type Logger, silentLogger } from '../base/logger.ts'
import type { Ports } from '../base/ports.ts'
import { systemPorts } from '../base/system-ports.ts'

let made: Ports | undefined

export function processPorts(logger: Logger | undefined): Ports {
  made ??= systemPorts()
  return { ...made, logger: logger ?? silentLogger }
}
