/** `npm run bench:compare [-- options]`: installs and builds if needed, then compares. See test/bench/compare.mjs. */
import { join } from 'node:path'
import { makeReady, root, run } from './ready.mjs'

makeReady()
run(process.execPath, [join(root, 'test', 'bench', 'compare.mjs'), ...process.argv.slice(2)])
