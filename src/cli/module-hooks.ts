/** Node's hooks for the modules of a job where Node evaluates hooks in a thread of its own: before `module.registerHooks`. */
import type { LoadHook, ResolveHook } from 'node:module'
import { alternatives, isTranspiled, transpiledModule } from './job-modules.ts'

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
  if (!isTranspiled(url)) return nextLoad(url, context)
  const { source } = await nextLoad(url, { ...context, format: 'module' })
  return transpiledModule(url, source)
}
