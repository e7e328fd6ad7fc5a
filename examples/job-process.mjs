/** `millrace run` of a job of these examples in a process of its own, which may be killed in the middle. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { root } from '../scripts/ready.mjs'

/**
 * Settles at the end of the process, with the events that it told (docs/guides/command-line.md). With `killAfter` it
 * is killed with SIGKILL when so many checkpoints are complete.
 */
export function runJob(file, { options = [], args = [], killAfter, cwd = root }) {
  const command = [join(root, 'dist/src/cli/main.js'), 'run', '--json', '--no-rest', ...options]
  const child = spawn(process.execPath, [...command, join(root, 'examples', file), ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const events = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    events.push(JSON.parse(line))
    if (events.filter(({ type }) => type === 'checkpoint.completed').length === killAfter) child.kill('SIGKILL')
  })
  return new Promise((resolve) => {
    child.on('close', (code, signal) => resolve({ code, killed: signal === 'SIGKILL', events }))
  })
}
