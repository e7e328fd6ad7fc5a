/** An object with some of its methods replaced; the others are its own. */
export function replacing(target, methods) {
  return new Proxy(target, {
    get(object, name) {
      if (Object.hasOwn(methods, name)) return methods[name]
      const value = object[name]
      return typeof value === 'function' ? value.bind(object) : value
    },
  })
}
