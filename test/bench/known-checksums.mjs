/** The frozen checksums: what the reference programs of the workloads computed. */
import { readFileSync } from 'node:fs'

const read = (name) => JSON.parse(readFileSync(new URL(`../fixtures/bench/${name}`, import.meta.url), 'utf8'))
const known = [...read('checksums.json'), ...read('more-checksums.json')]

/** Undefined for sizes that were never frozen. */
export function knownChecksum(workload, records, keys) {
  return known.find((each) => each.workload === workload && each.records === records && each.keys === keys)?.checksum
}
