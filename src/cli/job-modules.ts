/**
 * What the modules of a job are: TypeScript is transpiled, an import of `./x.js` finds `./x.ts`, and `millrace` is that of
 * the command where the job has none. Said once, for both kinds of hooks that Node has.
 */
import { fileURLToPath } from 'node:url'
import { isTypeScript } from './job-file.ts'
import { transpile } from './transpile.ts'

export interface Alternative {
  readonly specifier: string
  readonly parentURL: string | undefined
}

/** Where else to look for an import that was not found. */
export function alternatives(specifier: string, parentURL: string | undefined): readonly Alternative[] {
  if (specifier === 'millrace' || specifier.startsWith('millrace/')) return [{ specifier, parentURL: import.meta.url }]
  if (parentURL === undefined || !isTypeScript(new URL(parentURL).pathname) || !/^\.{0,2}\//.test(specifier)) return []
  // What TypeScript itself lets a program write for a file that ends in .ts.
  const written = specifier.replace(/\.(m?)js$/, '.$1ts')
  return [written, `${specifier}.ts`, `${specifier}/index.ts`]
    .filter((other) => other !== specifier)
    .map((other) => ({ specifier: other, parentURL }))
}

/** Whether Node must not load the module as it is. */
export function isTranspiled(url: string): boolean {
  const { protocol, pathname } = new URL(url)
  return protocol === 'file:' && isTypeScript(pathname)
}

/** What a `load` hook answers for such a module; `source` is what Node has read. */
export function transpiledModule(url: string, source: string | ArrayBuffer | NodeJS.TypedArray | undefined | null) {
  const text = typeof source === 'string' ? source : new TextDecoder().decode(source ?? undefined)
  return { format: 'module' as const, source: transpile(text, fileURLToPath(url)), shortCircuit: true }
}
