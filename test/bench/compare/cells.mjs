/** The cells of a comparison: a workload at one size, and how each program is told to run it once. */

/**
 * By cell. `options` go to every program, `millrace` and `flink` to the one that is named. `flinkBackends`: Flink runs once
 * with each of these state backends, and not with its default.
 */
export const cells = {
  S0: { workload: 'S0', records: 5_000_000, keys: 100_000 },
  S1: { workload: 'S1', records: 50_000_000, keys: 0 },
  S2: { workload: 'S2', records: 5_000_000, keys: 100_000, flinkInOneThread: true },
  'S2-fresh': { workload: 'S2', records: 5_000_000, keys: 100_000, options: ['--fresh-keys'], flinkInOneThread: true },
  S6: {
    workload: 'S6',
    records: 12_000_000,
    keys: 1_000_000,
    warmup: 0,
    // The failure is found by the number of records; the checkpoint that it needs is complete long before.
    options: ['--checkpoint-interval-ms', '1000', '--fail-after', '4000000'],
    // Without compression it restores ten times as slowly.
    flink: ['--compress'],
    figure: 'recovery',
  },
  S7: { workload: 'S7', records: 12_000_000, keys: 1_000_000, options: ['--checkpoint-interval-ms', '0'] },
  'S7-checkpoints': {
    workload: 'S7',
    records: 12_000_000,
    keys: 1_000_000,
    options: ['--checkpoint-interval-ms', '1000'],
  },
  'S7-leveldb': {
    workload: 'S7',
    records: 12_000_000,
    keys: 1_000_000,
    warmup: 0,
    options: ['--checkpoint-interval-ms', '1000'],
    millrace: ['--backend', 'leveldb'],
    flinkBackends: ['rocksdb', 'rocksdb-incremental'],
  },
  'S2-10M-leveldb': {
    workload: 'S2',
    records: 10_000_000,
    keys: 10_000_000,
    warmup: 0,
    millrace: ['--backend', 'leveldb', '--cache-size', '64mb'],
    // Nothing else than memory that it manages for RocksDB; without checkpoints both of its forms are one.
    flink: ['--managed-mb', '64'],
    flinkBackends: ['rocksdb'],
  },
}

/** Sizes that take a moment, with frozen checksums: to see that everything works. Their figures are worth nothing. */
export const quickSizes = {
  S0: { records: 100_000, keys: 1000 },
  S1: { records: 100_000, keys: 0 },
  S2: { records: 100_000, keys: 1000 },
  'S2-fresh': { records: 100_000, keys: 1000 },
  S7: { records: 100_000, keys: 10_000 },
  'S7-leveldb': { records: 100_000, keys: 10_000 },
}

/** What every program is given for one measured run in a process of its own, a warm-up run before it. */
export function argumentsOf({ workload, records, keys, warmup = 1, options = [] }) {
  const sizes = ['--records', String(records), ...(keys === 0 ? [] : ['--keys', String(keys)])]
  return [workload, ...sizes, '--warmup', String(warmup), '--reps', '1', ...options]
}
