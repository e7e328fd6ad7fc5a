/** The logging port. The library prints nothing of its own: without a logger every line is dropped. */
export interface Logger {
  /** For whoever looks for the reason of something. */
  debug(message: string): void
  /** What goes as it should. */
  info(message: string): void
  /** What somebody should look at. */
  warn(message: string): void
  /** What went wrong; who has to know is told in another way as well. */
  error(message: string): void
}

const drop = () => {}
export const silentLogger: Logger = { debug: drop, info: drop, warn: drop, error: drop }
