/** What the code of a job configures: the strongest level. Checks each value when it is given; keeps plain values. */
import { type ConfigurationLayer, checkedOption, codeLayer } from '../base/config/configuration-layer.ts'
import { type Configuration, findOption, type OptionInput, type OptionKey } from '../base/config/options.ts'

export class ProgramOptions {
  readonly #values = new Map<string, unknown>()

  /** Throws CONFIG_INVALID, naming `setter`, option, value and what is legal; nothing is changed then. */
  set<K extends OptionKey>(key: K, value: OptionInput<K>, setter?: string): void {
    this.#values.set(key, checkedOption(key, value, setter))
  }

  /** As `set` for each key. Older names are understood; unknown keys are kept for the warning at execution. */
  setAll(configuration: Configuration): void {
    const read = Object.entries(configuration).flatMap(([name, value]) => {
      if (value === undefined) return []
      const key = findOption(name)?.key
      return [key === undefined ? { name, key: name, value } : { name, key, value: checkedOption(key, value as never) }]
    })
    const olderNames = read.filter(({ name, key }) => name !== key)
    // Last, since a key itself wins over its older names.
    const keys = read.filter(({ name, key }) => name === key)
    for (const { key, value } of [...olderNames, ...keys]) this.#values.set(key, value)
  }

  /** Forgets every option whose key begins with `prefix`. */
  clear(prefix: string): void {
    for (const key of [...this.#values.keys()]) if (key.startsWith(prefix)) this.#values.delete(key)
  }

  layer(): ConfigurationLayer {
    return codeLayer(Object.fromEntries(this.#values))
  }
}
