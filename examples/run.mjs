/** `node examples/run.mjs NAME`: installs and builds what is missing, then runs an example. */
import { join } from 'node:path'
import { makeReady, root, run } from '../scripts/ready.mjs'

const EXAMPLES = {
  flights: () => run(process.execPath, [join(root, 'scripts', 'start.mjs')]),
  quakes: () => job('quakes'),
  ledger: async () => (await import('./ledger/drive.mjs')).drive(),
  visits: async () => (await import('./visits/drive.mjs')).drive(),
  pressure: () => job('back-pressure'),
}

/** Is run by the command as it is. */
function job(folder) {
  return run(process.execPath, [join(root, 'dist/src/cli/main.js'), 'run', '--no-rest', `examples/${folder}/job.ts`])
}

const example = EXAMPLES[process.argv[2]]
if (example === undefined) {
  console.error(`usage: node examples/run.mjs ${Object.keys(EXAMPLES).join(' | ')}`)
  process.exit(2)
}
makeReady()
if ((await example()) === false) process.exitCode = 1
