/** The types of what `read-values.mjs` gives. */
export class Bytes {
  constructor(bytes: Uint8Array)
  readonly left: number
}
export function readValue(input: Bytes): unknown
export function originalKey(mapKey: unknown): unknown
export function keyGroupOf(mapKey: unknown, maxParallelism: number): number
