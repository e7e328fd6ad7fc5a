/** The benchmark programs compute what the reference programs compute: small sizes, through the real jobs. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

interface Known {
  readonly workload: string
  readonly records: number
  readonly keys: number
  readonly checksum: string
}

const known = JSON.parse(
  readFileSync(new URL('../fixtures/bench/checksums.json', import.meta.url), 'utf8'),
) as readonly Known[]
const small = known.filter(({ workload, records }) => ['S0', 'S1', 'S2'].includes(workload) && records <= 100_000)

function run({ workload, records, keys }: Known, ...more: readonly string[]): { readonly checksum: string } {
  const program = fileURLToPath(new URL('run.mjs', import.meta.url))
  const sizes = ['--records', String(records), ...(keys === 0 ? [] : ['--keys', String(keys)])]
  return JSON.parse(
    execFileSync(process.execPath, [program, workload, ...sizes, '--warmup', '0', '--reps', '1', ...more], {
      encoding: 'utf8',
    }),
  )
}

describe('A benchmark', () => {
  it.each(small)('computes the reference checksum of $workload with $records records', (one) => {
    expect(run(one).checksum).toBe(one.checksum)
  })

  it('computes the same at parallelism 3, with keys made afresh and with checkpoints', () => {
    const one = small.find(({ workload }) => workload === 'S2') as Known
    expect(run(one, '--parallelism', '3', '--fresh-keys', '--checkpoint-interval-ms', '20').checksum).toBe(one.checksum)
  })

  it('computes another one for other records (negative control)', () => {
    const one = small.find(({ workload }) => workload === 'S2') as Known
    expect(run({ ...one, records: one.records - 1 }).checksum).not.toBe(one.checksum)
  })
})
