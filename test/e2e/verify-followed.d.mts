/** Types of verify-followed.mjs, which the verifier's program imports as it is. */
export declare function verifyFollowed(of: { readonly input: string; readonly output: string }): {
  readonly exact: boolean
  readonly parts: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly examples: readonly string[]
}
