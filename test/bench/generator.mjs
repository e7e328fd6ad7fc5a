/** The records of the frozen workloads: each a pure function of its index. 32-bit arithmetic with wrap-around throughout. */
const GOLD = 0x9e3779b1 | 0
const T0 = 1_700_000_000_000
/** Above this many keys there is no table: every record makes its own string. */
export const LARGEST_KEY_TABLE = 2_000_000

export function mix32(value) {
  let x = value ^ (value >>> 16)
  x = Math.imul(x, 0x7feb352d)
  x ^= x >>> 15
  x = Math.imul(x, 0x846ca68b)
  return x ^ (x >>> 16)
}

/** `k` and seven decimal digits, made without the help of number formatting: that costs several times as much. */
function keyOf(rank) {
  const tens = (rank / 10) | 0
  const hundreds = (tens / 10) | 0
  const thousands = (hundreds / 10) | 0
  const tenThousands = (thousands / 10) | 0
  const hundredThousands = (tenThousands / 10) | 0
  const millions = (hundredThousands / 10) | 0
  return String.fromCharCode(
    107,
    48 + millions,
    48 + hundredThousands - 10 * millions,
    48 + tenThousands - 10 * hundredThousands,
    48 + thousands - 10 * tenThousands,
    48 + hundreds - 10 * thousands,
    48 + tens - 10 * hundreds,
    48 + rank - 10 * tens,
  )
}

class Rec {
  constructor(id, key, price, ts) {
    this.id = id
    this.key = key
    this.price = price
    this.ts = ts
  }
}

/** `make(i)` for S0, S2 and S7. `preload`: the first records touch every key once. */
export function recordMaker({ keys, freshKeys, preload }) {
  let octaves = 1
  while (2 ** octaves - 1 < keys) octaves++
  const table = freshKeys || keys > LARGEST_KEY_TABLE ? null : Array.from({ length: keys }, (_, rank) => keyOf(rank))
  const loaded = preload ? keys : 0
  return (i) => {
    const h1 = mix32((Math.imul(i, GOLD) + 0x2545f491) | 0)
    const h2 = mix32((h1 + 0x6a09e667) | 0)
    const h3 = mix32(h2 ^ 0xbb67ae85)
    let rank = i
    if (i >= loaded) {
      const below = (1 << (((h1 >>> 16) * octaves) >>> 16)) - 1
      rank = below + (h2 & below)
      if (rank >= keys) rank -= keys
    }
    return new Rec(
      i,
      table === null ? keyOf(rank) : table[rank],
      (h3 >>> 12) / 1024,
      T0 + ((i / 100) | 0) - (((h3 & 0xfff) * 1000) >>> 12),
    )
  }
}

export function keyHash(key) {
  let hash = 0
  for (let index = 0; index < key.length; index++) hash = (Math.imul(hash, 31) + key.charCodeAt(index)) | 0
  return hash
}

export const recordHash = ({ key, id }) => mix32(keyHash(key) ^ id)
export const countHash = ({ key, count }) => mix32(keyHash(key) ^ Math.imul(count, GOLD))
