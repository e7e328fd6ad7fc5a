/**
 * What a job's process tells its supervisor before it dies, and where it dies: each line is written to file descriptor 3
 * before anything else happens, so that the kernel holds it when the process is gone.
 *
 * MILLRACE_KILL_AT=<type>:<n>[:<delay ms>][,...] sends the process SIGKILL at the n-th line of that type, or so much later.
 */
import { writeSync } from 'node:fs'

const TRACE_FD = 3
const tracing = process.env.MILLRACE_TRACE === '1'
const points = (process.env.MILLRACE_KILL_AT ?? '')
  .split(',')
  .filter((text) => text !== '')
  .map((text) => {
    const [type, n = '1', delayMs = '0'] = text.split(':')
    return { type, left: Number(n), delayMs: Number(delayMs) }
  })

/** One line: `{"type": …, "atMs": …}` with the fields; `atMs` counts from the start of the process. */
export function trace(type, fields = {}) {
  if (tracing) writeSync(TRACE_FD, `${JSON.stringify({ type, atMs: Math.round(performance.now()), ...fields })}\n`)
  for (const point of points) if (point.type === type && --point.left === 0) dieAfter(point.delayMs)
}

function dieAfter(delayMs) {
  if (delayMs === 0) return die()
  const atMs = performance.now() + delayMs
  // Fractions of a millisecond count: the windows are narrow. The process goes on meanwhile, and may end.
  const look = () => (performance.now() >= atMs ? die() : setImmediate(look).unref())
  setTimeout(look, Math.floor(delayMs)).unref()
}

function die() {
  process.kill(process.pid, 'SIGKILL')
}
