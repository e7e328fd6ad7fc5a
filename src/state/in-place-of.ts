/** An object as it is but for some of its members. For debugging only: each call through it costs a lookup. */

/** Reads `members` first; everything else is the object's own, also what it will have that nobody knows of here. */
export function inPlaceOf<T extends object>(object: T, members: Partial<T>): T {
  return new Proxy(object, {
    get(target, name) {
      const owner = Reflect.has(members, name) ? members : target
      const member: unknown = Reflect.get(owner, name)
      return typeof member === 'function' ? member.bind(owner) : member
    },
  })
}
