/** The built package as others load it: from CommonJS, through each door, with a compiler's default options. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root, workFolder } from './processes.ts'

const work = workFolder()
const { exports, sideEffects, type } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const doors = Object.keys(exports).map((door) => door.replace(/^\./, 'millrace'))

/** A program of this repository, with Node alone: its one JSON line. */
function said(program: string, ...args: readonly string[]) {
  const file = join(root, 'test', 'e2e', 'programs', program)
  const { NODE_OPTIONS: _, ...env } = process.env
  const { stdout, stderr } = spawnSync(process.execPath, [file, ...args], { encoding: 'utf8', env, timeout: 20_000 })
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

describe('The package', () => {
  test('is required from CommonJS through each of its doors, and runs a job there', () => {
    expect(doors).toEqual(
      expect.arrayContaining(['millrace', 'millrace/testing', 'millrace/machines', 'millrace/package.json']),
    )
    const { results, doors: opened, missing } = said('require.cjs', ...doors)
    expect(results).toEqual([2, 3])
    expect(missing).toEqual([])
    expect(opened).toEqual(Object.fromEntries(doors.map((door) => [door, true])))
  })

  test('has no other door: what is not there yet, and the inside, is refused by Node', () => {
    const closed = ['millrace/rest', 'millrace/inspect', 'millrace/connectors/files', 'millrace/dist/src/index.js']
    const shut = closed.filter((door) => !doors.includes(door))
    expect(said('require.cjs', ...shut).doors).toEqual(
      Object.fromEntries(shut.map((door) => [door, 'ERR_PACKAGE_PATH_NOT_EXPORTED'])),
    )
  })

  test('has declarations in front of the code of each door', () => {
    for (const [door, target] of Object.entries<string | Record<string, string>>(exports)) {
      if (typeof target === 'string') continue
      const names = Object.keys(target)
      expect(names.indexOf('types'), door).toBeLessThan(names.indexOf('default'))
      for (const condition of ['types', 'default'])
        expect(existsSync(join(root, target[condition] ?? '')), `${door}, ${condition}`).toBe(true)
    }
  })

  test('does nothing when it is imported, and says so to bundlers', () => {
    expect(said('import-only.mjs')).toEqual({ changed: [], left: [] })
    expect([sideEffects, type]).toEqual([false, 'module'])
  })
})

describe('The declarations', () => {
  const job = [
    "import { FileSink, FileSource, StreamExecutionEnvironment, WatermarkStrategy } from 'millrace'",
    'const env = StreamExecutionEnvironment.getExecutionEnvironment()',
    "env.fromSource(FileSource.forLines('in'), WatermarkStrategy.noWatermarks(), 'in').sinkTo(FileSink.forLines('out'))",
    "export const done: Promise<{ netRuntimeMs: number }> = env.execute('x')",
  ].join('\n')

  test.each([
    ['typescript-5.5', { module: 'nodenext', types: [] }],
    ['typescript', {}],
    ['typescript', { types: [] }],
  ])(
    'compile with %s and the options %j, all others by default',
    (typescript, compilerOptions) => {
      const folder = join(work, `${typescript}-${JSON.stringify(compilerOptions).replaceAll(/\W/g, '')}`)
      mkdirSync(join(folder, 'node_modules'), { recursive: true })
      symlinkSync(root, join(folder, 'node_modules', 'millrace'), 'junction')
      writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
      writeFileSync(join(folder, 'job.ts'), job)
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['job.ts'] }))
      const compiler = join(root, 'node_modules', typescript, 'bin', 'tsc')
      const { stdout } = spawnSync(process.execPath, [compiler, '-p', folder, '--noEmit'], { encoding: 'utf8' })
      expect(stdout).toBe('')
    },
    120_000,
  )
})
