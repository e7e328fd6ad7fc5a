import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const goodJobs = new URL('./good-jobs.ts', import.meta.url)
const mistakes = new URL('./mistakes.ts', import.meta.url)

/** The compiler's word on the two files, once. */
const complaints = compile().split('\n')

function compile(): string {
  const compiler = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url))
  const project = fileURLToPath(new URL('./tsconfig.json', import.meta.url))
  const { stdout, stderr } = spawnSync(process.execPath, [compiler, '-p', project], { encoding: 'utf8' })
  return `${stdout}${stderr}`
}

describe('the types of the public door', () => {
  it('accept good jobs without a cast or an annotation', () => {
    expect(complaints.filter((line) => line.includes('good-jobs.ts'))).toEqual([])
  })

  it('refuse each of the typical mistakes: no @ts-expect-error stands where there is no error', () => {
    expect(complaints.filter((line) => line.includes('mistakes.ts'))).toEqual([])
    expect(readFileSync(mistakes, 'utf8').match(/@ts-expect-error \S+ .+/g)?.length).toBeGreaterThan(45)
  })

  it('need no any and no cast in a job', () => {
    for (const file of [goodJobs, mistakes])
      expect(readFileSync(file, 'utf8')).not.toMatch(/\bas (?!const\b)\w+|:\s*any\b|<any>/)
  })

  it('are compiled at all', () => {
    expect(complaints.filter((line) => line.startsWith('error'))).toEqual([])
  })
})
