/**
 * What a job's configuration says, all levels taken together: code of the job, command line, file, default, the
 * strongest first. Checks everything when it is made; holds no state of the job.
 */
import { type ConfigurationLayer, originOf, type ReadLayer, readLayer } from './configuration-layer.ts'
import { type ConfigurationNotice, noticesOf } from './configuration-notices.ts'
import { formatOptionValue, type PlainValue } from './option-value.ts'
import { OPTIONS, type OptionKey, type OptionValue } from './options.ts'
import { type RestartStrategyOptions, readRestartStrategy } from './restart-strategy-options.ts'

const STRENGTH = ['code', 'command line', 'file'] as const

export class ConfigurationReader {
  /** Strongest first. */
  readonly #layers: readonly ReadLayer[]
  readonly #strategy: RestartStrategyOptions | undefined
  /** What the user should read once: unknown keys, `rocksdb`, options that are not read. */
  readonly notices: readonly ConfigurationNotice[]

  /** Throws CONFIG_INVALID at the first value, of any level, that is not legal. */
  constructor(layers: readonly ConfigurationLayer[]) {
    this.#layers = STRENGTH.flatMap((level) => layers.filter((layer) => layer.level === level)).map(readLayer)
    this.#strategy = readRestartStrategy(this.#layers)
    this.notices = noticesOf(this.#layers)
  }

  /** Milliseconds for a duration, bytes for a size. The options of restart strategies: see `restartStrategy`. */
  get<K extends OptionKey>(key: K): OptionValue<K> {
    const found = this.#find(key)
    return (found === undefined ? OPTIONS[key].default : found.value.value) as OptionValue<K>
  }

  /** Whether a level says something about it, be it the default. */
  isSet(key: OptionKey): boolean {
    return this.#find(key) !== undefined
  }

  /** Where the value stands, for messages: `config.yaml:3`, `the command line`, `the default`. */
  originOf(key: OptionKey): string {
    const found = this.#find(key)
    return found === undefined ? 'the default' : originOf(found.layer, found.value.entry)
  }

  /** All options of the strategy from the level that named it; undefined when no level names one (Flink's default applies). */
  restartStrategy(): RestartStrategyOptions | undefined {
    return this.#strategy
  }

  /** What was set, by key, as one would write it into a file: for display. */
  written(): ReadonlyMap<OptionKey, string> {
    const keys = (Object.keys(OPTIONS) as OptionKey[]).filter((key) => this.isSet(key))
    return new Map(keys.map((key) => [key, formatOptionValue(OPTIONS[key], this.get(key) as PlainValue)]))
  }

  #find(key: OptionKey) {
    for (const { layer, values } of this.#layers) {
      const value = values.get(key)
      if (value !== undefined) return { layer, value }
    }
    return undefined
  }
}
