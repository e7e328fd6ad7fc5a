/**
 * `npm run bench -- WORKLOAD [options]`: installs and builds if needed, then runs one workload. See test/bench/run.mjs, and
 * test/bench/rest.mjs for what `--rest` compares.
 */
import { join } from 'node:path'
import { makeReady, root, run } from './ready.mjs'

makeReady()
const given = process.argv.slice(2)
const program = given.includes('--rest') ? 'rest.mjs' : 'run.mjs'
run(process.execPath, [join(root, 'test', 'bench', program), ...given])
