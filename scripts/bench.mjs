/** `npm run bench -- WORKLOAD [options]`: installs and builds if needed, then runs one workload. See test/bench/run.mjs. */
import { join } from 'node:path'
import { makeReady, root, run } from './ready.mjs'

makeReady()
run(process.execPath, [join(root, 'test', 'bench', 'run.mjs'), ...process.argv.slice(2)])
