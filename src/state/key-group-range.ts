/** The key groups of one subtask, both ends included. Empty when `last < first`. */
export interface KeyGroupRange {
  readonly first: number
  readonly last: number
}

export function isEmpty(range: KeyGroupRange): boolean {
  return range.last < range.first
}

export function contains(range: KeyGroupRange, keyGroup: number): boolean {
  return keyGroup >= range.first && keyGroup <= range.last
}
