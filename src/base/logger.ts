/** The logging port. The library prints nothing of its own: without a logger every line is dropped. */
export interface Logger {
  debug(message: string): void
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

const drop = () => {}
export const silentLogger: Logger = { debug: drop, info: drop, warn: drop, error: drop }
