/** Checks that parsed JSON has the shape that it should have. It reports the path of what is wrong and never throws. */

/** What is wrong with a value, or undefined. */
export type Check = (value: unknown, path: string) => string | undefined

export const isString: Check = (value, path) => (typeof value === 'string' ? undefined : `${path} is no text`)

export const isBoolean: Check = (value, path) =>
  typeof value === 'boolean' ? undefined : `${path} is neither true nor false`

export function isText(pattern: RegExp): Check {
  return (value, path) =>
    typeof value === 'string' && pattern.test(value) ? undefined : `${path} is not of the form ${pattern.source}`
}

export function isInteger(low: number, high: number = Number.MAX_SAFE_INTEGER): Check {
  return (value, path) =>
    Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high
      ? undefined
      : `${path} is no whole number from ${low} to ${high}`
}

export const isNumber: Check = (value, path) =>
  typeof value === 'number' && Number.isFinite(value) ? undefined : `${path} is no number`

export function isOneOf(...values: readonly (string | number)[]): Check {
  return (value, path) =>
    (values as readonly unknown[]).includes(value) ? undefined : `${path} is none of ${values.join(', ')}`
}

export function isListOf(item: Check, most: number): Check {
  return (value, path) => {
    if (!Array.isArray(value)) return `${path} is no list`
    if (value.length > most) return `${path} has ${value.length} entries, more than ${most}`
    for (const [index, one] of value.entries()) {
      const wrong = item(one, `${path}[${index}]`)
      if (wrong !== undefined) return wrong
    }
    return undefined
  }
}

export function optional(check: Check): Check {
  return (value, path) => (value === undefined ? undefined : check(value, path))
}

/** Fields that are not named are let through: a newer release may have added them. */
export function isObject(fields: Readonly<Record<string, Check>>): Check {
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return `${path} is no object`
    for (const [name, check] of Object.entries(fields)) {
      const wrong = check(
        Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined,
        `${path}.${name}`,
      )
      if (wrong !== undefined) return wrong
    }
    return undefined
  }
}

/** The check is chosen by the text in the field `type`. */
export function isOneOfTypes(types: Readonly<Record<string, Check>>): Check {
  return (value, path) => {
    const type = typeof value === 'object' && value !== null ? (value as { type?: unknown }).type : undefined
    const check = typeof type === 'string' && Object.hasOwn(types, type) ? types[type] : undefined
    return check === undefined ? `${path}.type is none of ${Object.keys(types).join(', ')}` : check(value, path)
  }
}
