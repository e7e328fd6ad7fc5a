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

function fixture(name: string): readonly Known[] {
  return JSON.parse(readFileSync(new URL(`../fixtures/bench/${name}`, import.meta.url), 'utf8'))
}

const known = fixture('checksums.json')
const small = known.filter(({ workload, records }) => ['S0', 'S1', 'S2'].includes(workload) && records <= 100_000)
/** Long enough for a checkpoint in front of the failure. */
const recovered = fixture('more-checksums.json').find(({ workload }) => workload === 'S6') as Known

interface Line {
  readonly checksum: string
  readonly checkpoints?: number
  readonly recoveryMsAll?: readonly number[]
  readonly startToFirstOutputMsAll?: readonly number[]
}

function run({ workload, records, keys }: Known, ...more: readonly string[]): Line {
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

  it('computes the same with state on disk, behind a cache that is much too small, with checkpoints of what changed', () => {
    const one = small.find(({ workload }) => workload === 'S2') as Known
    const onDisk = ['--backend', 'leveldb', '--cache-size', '64kb', '--checkpoint-interval-ms', '20']
    expect(run(one, ...onDisk).checksum).toBe(one.checksum)
    expect(run(one, ...onDisk, '--incremental', 'false').checksum).toBe(one.checksum)
  })

  it.each(small)('has a plain loop that computes the same: $workload', (one) => {
    expect(run(one, '--engine', 'plain').checksum).toBe(one.checksum)
  })

  it('computes the checksum of an undisturbed run although it fails once', () => {
    const line = run(recovered, '--fail-after', '100000', '--checkpoint-interval-ms', '10')
    expect(line.checksum).toBe(recovered.checksum)
    expect(line.recoveryMsAll).toHaveLength(1)
  })

  it('computes it also when the process is killed and another one goes on', () => {
    const line = run(recovered, '--cold', '--fail-after', '100000', '--checkpoint-interval-ms', '10')
    expect(line.checksum).toBe(recovered.checksum)
    expect(line.startToFirstOutputMsAll).toHaveLength(1)
  })

  it('computes another one for other records (negative control)', () => {
    const one = small.find(({ workload }) => workload === 'S2') as Known
    expect(run({ ...one, records: one.records - 1 }).checksum).not.toBe(one.checksum)
  })
})
