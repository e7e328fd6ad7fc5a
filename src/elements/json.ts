/** Plain JSON as a type: what crosses the link between job side and task side, and what metadata holds. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json | undefined }
