/** Writes the generated pages of docs/ from the built package: `node scripts/generate-docs.mjs`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeReady, root } from './ready.mjs'

makeReady()
const { configurationDocument } = await import('../dist/src/base/config/configuration-document.js')
writeFileSync(join(root, 'docs', 'CONFIGURATION.md'), configurationDocument())
