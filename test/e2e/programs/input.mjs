/** The input of the chain job as a pure function of its place: the job reads it, the verifier recomputes from it. Knows no engine. */

/** Each partition is one split of the source. A key lives in one partition, so that the order of its values is fixed. */
export const PARTITIONS = 4
const KEYS_PER_PARTITION = 23

/** `records` are dealt over the partitions in turn. */
export function recordsIn(partition, records) {
  return Math.ceil((records - partition) / PARTITIONS)
}

export function recordAt(seed, partition, seq) {
  const key = `${partition}-${mix(mix(seed + partition) ^ seq) % KEYS_PER_PARTITION}`
  return { partition, seq, key, value: mix(mix(seed ^ (partition << 24)) + seq) }
}

/** The next link of the chain over the values of a key: any value lost, doubled or out of place changes all later links. */
export function link(chain, value) {
  return mix(Math.imul(chain, 31) + value)
}

/** Spreads the bits of a 32-bit number: the last step of MurmurHash3. */
function mix(bits) {
  let hash = bits | 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
