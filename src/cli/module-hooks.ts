/**
 * Node's hooks for the modules of a job: TypeScript is transpiled, an import of `./x.js` finds `./x.ts`, and `millrace`
 * is that of the command where the job has none. Node evaluates this file in a thread of its own.
 */
import type { LoadHook, ResolveHook } from 'node:module'
import { fileURLToPath } from 'node:url'
import { nodeFileSystem } from '../base/node-file-system.ts'
import { isTypeScript } from './job-file.ts'
import { transpile } from './transpile.ts'

const files = nodeFileSystem()

export const resolve: ResolveHook = async (specifier, context, nextResolve) => {
  try {
    return await nextResolve(specifier, context)
  } catch (notFound) {
    for (const other of alternatives(specifier, context.parentURL)) {
      try {
        return await nextResolve(other.specifier, { ...context, parentURL: other.parentURL })
      } catch {
        // Nor is it there: in the end the first error is the one that helps.
      }
    }
    throw notFound
  }
}

export const load: LoadHook = async (url, context, nextLoad) => {
  const { protocol, pathname } = new URL(url)
  if (protocol !== 'file:' || !isTypeScript(pathname)) return nextLoad(url, context)
  const path = fileURLToPath(url)
  const source = transpile(new TextDecoder().decode(await files.read(path)), path)
  return { format: 'module', source, shortCircuit: true }
}

function alternatives(specifier: string, parentURL: string | undefined) {
  if (specifier === 'millrace' || specifier.startsWith('millrace/')) return [{ specifier, parentURL: import.meta.url }]
  if (parentURL === undefined || !isTypeScript(new URL(parentURL).pathname) || !/^\.{0,2}\//.test(specifier)) return []
  // What TypeScript itself lets a program write for a file that ends in .ts.
  const written = specifier.replace(/\.(m?)js$/, '.$1ts')
  return [written, `${specifier}.ts`, `${specifier}/index.ts`]
    .filter((other) => other !== specifier)
    .map((other) => ({ specifier: other, parentURL }))
}
