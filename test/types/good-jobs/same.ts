/** Whether two types are the same. */
export type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false

/** Compiles only where both types are the same. */
export function same<A, B>(_proof: Same<A, B>): void {}
