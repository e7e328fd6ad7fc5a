import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { configurationDocument } from '../../../../src/base/config/configuration-document.ts'
import { OPTIONS } from '../../../../src/base/config/options.ts'

test('docs/CONFIGURATION.md is what the table of options gives (else: node scripts/generate-docs.mjs)', () => {
  const page = readFileSync(new URL('../../../../docs/CONFIGURATION.md', import.meta.url), 'utf8')
  expect(page).toBe(configurationDocument())
})

test('the page has a row for every option', () => {
  const page = configurationDocument()
  for (const key of Object.keys(OPTIONS)) expect(page).toContain(`| \`${key}\` |`)
})
