/** Writes docs/machines/, the pictures of the charts, from the built package: `node scripts/draw-machines.mjs`. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pagesOf } from './draw-machines.pages.mjs'
import { makeReady, root } from './ready.mjs'

makeReady()
const { charts } = await import('../dist/machines/index.js')
const pages = pagesOf(charts, (law) => readFileSync(join(root, law), 'utf8'))
const folder = join(root, 'docs', 'machines')
mkdirSync(folder, { recursive: true })
// A chart that is gone leaves no picture.
for (const name of readdirSync(folder)) if (!(name in pages)) rmSync(join(folder, name))
for (const [name, text] of Object.entries(pages)) writeFileSync(join(folder, name), text)
