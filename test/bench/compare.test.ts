/** The comparison tells speeds only of programs that compute what the reference programs computed. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const PROGRAM = fileURLToPath(new URL('compare.mjs', import.meta.url))

function compare(...args: readonly string[]) {
  return spawnSync(process.execPath, [PROGRAM, '--quick', '--reps', '1', '--no-flink', ...args], { encoding: 'utf8' })
}

describe('A comparison', () => {
  it('prints a row a program and cell, and writes them with the machine into a file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-compare-'))
    try {
      const file = join(folder, 'rows.json')
      const { status, stdout } = compare('--cells', 'S0,S2', '--json', file)
      expect(status).toBe(0)
      for (const row of [/^S0 +Millrace /m, /^S0 +plain loop /m, /^S2 +Millrace /m, /^S2 +plain loop /m])
        expect(stdout).toMatch(row)
      expect(stdout).toContain('Flink skipped: it was not asked for')
      const { machine, rows } = JSON.parse(readFileSync(file, 'utf8'))
      expect(machine.node).toBe(process.version)
      expect(rows.map((row: { cell: string; program: string }) => `${row.cell} ${row.program}`)).toEqual([
        'S0 Millrace',
        'S0 plain loop',
        'S2 Millrace',
        'S2 plain loop',
      ])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('tells no speed when a program computes another checksum, names program and cell, and ends with 1', () => {
    const { status, stdout, stderr } = compare('--cells', 'S2', '--control', 'wrong-checksum')
    expect(status).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toContain('S2: Millrace computed 99999:')
    expect(stderr).toContain('the reference 100000:f17b5b83:9b9ea8f3')
  })

  it('refuses a cell that there is not', () => {
    const { status, stderr } = compare('--cells', 'S9')
    expect(status).toBe(2)
    expect(stderr).toContain('no such cell: S9')
  })
})
