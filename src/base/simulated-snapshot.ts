/** A view of a simulated store that stays as it is. Keys are sorted when somebody scans. */
import { fileError } from './file-error.ts'
import type { StoreSnapshot } from './ordered-store.ts'
import { bytesOf, textOf } from './simulated-tables.ts'

export class SimulatedSnapshot implements StoreSnapshot {
  readonly #entries: ReadonlyMap<string, Uint8Array>
  readonly #folder: string
  readonly #turn: () => Promise<void>
  #released = false

  /** @param entries nobody changes them any more. */
  constructor(entries: ReadonlyMap<string, Uint8Array>, folder: string, turn: () => Promise<void>) {
    this.#entries = entries
    this.#folder = folder
    this.#turn = turn
  }

  async *scan({ from, below, pageBytes }: Parameters<StoreSnapshot['scan']>[0]): ReturnType<StoreSnapshot['scan']> {
    this.#check()
    const first = from === undefined ? '' : textOf(from)
    const end = below === undefined ? undefined : textOf(below)
    const keys = [...this.#entries.keys()].filter((key) => key >= first && (end === undefined || key < end)).sort()
    let page: (readonly [Uint8Array, Uint8Array])[] = []
    let bytes = 0
    for (const key of keys) {
      const value = this.#entries.get(key) as Uint8Array
      page.push([bytesOf(key), value.slice()])
      bytes += key.length + value.length
      if (bytes <= pageBytes) continue
      await this.#turn()
      yield page
      this.#check()
      page = []
      bytes = 0
    }
    await this.#turn()
    if (page.length > 0) yield page
  }

  async getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    this.#check()
    await this.#turn()
    this.#check()
    return keys.map((key) => this.#entries.get(textOf(key))?.slice())
  }

  /** A scan that is on its way is refused its next page. */
  release(): void {
    this.#released = true
  }

  #check(): void {
    if (!this.#released) return
    throw fileError(new Error('the view was released'), { operation: 'scan the store in', path: this.#folder })
  }
}
