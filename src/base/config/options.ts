/**
 * The table of options: everything that a configuration can say. Types, reading, warnings and docs/CONFIGURATION.md
 * come from it. To add an option, add it to the table of its area.
 */
import { CHECKPOINTING_OPTIONS } from './checkpointing-options.ts'
import { CLIENT_OPTIONS } from './client-options.ts'
import type { Time } from './duration.ts'
import { METRICS_OPTIONS } from './metrics-options.ts'
import type { InputOf, OptionDefinition, ValueOf } from './option-definition.ts'
import { REST_OPTIONS } from './rest-options.ts'
import { RESTART_OPTIONS } from './restart-options.ts'
import { RUNTIME_OPTIONS } from './runtime-options.ts'

export const OPTIONS = {
  ...CHECKPOINTING_OPTIONS,
  ...RESTART_OPTIONS,
  ...RUNTIME_OPTIONS,
  ...REST_OPTIONS,
  ...CLIENT_OPTIONS,
  ...METRICS_OPTIONS,
}

type Options = typeof OPTIONS
export type OptionKey = keyof Options
export type OptionValue<K extends OptionKey> = ValueOf<Options[K]>
export type OptionInput<K extends OptionKey> = InputOf<Options[K]>

type AliasesOf<K extends OptionKey> = Options[K] extends { readonly aliases: readonly (infer A extends string)[] }
  ? A
  : never

type KnownOptions = { readonly [K in OptionKey]?: OptionInput<K> | undefined }
type OlderNames = { readonly [K in OptionKey as AliasesOf<K>]?: OptionInput<K> | undefined }

/**
 * What a program may configure: known keys, older names included, complete and check their values. Other keys are
 * allowed, have no effect, and a warning names the nearest known key.
 */
export interface Configuration extends KnownOptions, OlderNames {
  readonly [key: string]: string | number | boolean | Time | undefined
}

/** The option that a key or one of its older names stands for; undefined for a key that is not known. */
export function findOption(
  key: string,
): { readonly key: OptionKey; readonly definition: OptionDefinition } | undefined {
  return BY_NAME.get(key)
}

/** Every key and older name. */
export const knownNames = (): readonly string[] => [...BY_NAME.keys()]

/** A Map, because keys come from files: an object would also have `constructor` and `__proto__`. */
const BY_NAME = new Map(
  Object.entries(OPTIONS as Readonly<Record<string, OptionDefinition>>).flatMap(([key, definition]) =>
    [key, ...(definition.aliases ?? [])].map((name) => [name, { key: key as OptionKey, definition }] as const),
  ),
)
