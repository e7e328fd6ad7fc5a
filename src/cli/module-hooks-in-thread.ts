/** Node's hooks for the modules of a job where Node calls them in the thread of the job itself, by `module.registerHooks`. */
import type { LoadFnOutput, LoadHookContext, ResolveFnOutput, ResolveHookContext } from 'node:module'
import { alternatives, isTranspiled, transpiledModule } from './job-modules.ts'

type NextResolve = (specifier: string, context: Partial<ResolveHookContext>) => ResolveFnOutput
type NextLoad = (url: string, context: Partial<LoadHookContext>) => LoadFnOutput

interface ModuleHooks {
  resolve(specifier: string, context: ResolveHookContext, nextResolve: NextResolve): ResolveFnOutput
  load(url: string, context: LoadHookContext, nextLoad: NextLoad): LoadFnOutput
}

export const hooks: ModuleHooks = {
  resolve(specifier, context, nextResolve) {
    try {
      return nextResolve(specifier, context)
    } catch (notFound) {
      for (const other of alternatives(specifier, context.parentURL)) {
        try {
          return nextResolve(other.specifier, { ...context, parentURL: other.parentURL })
        } catch {
          // Nor is it there: in the end the first error is the one that helps.
        }
      }
      throw notFound
    }
  },

  load(url, context, nextLoad) {
    if (!isTranspiled(url)) return nextLoad(url, context)
    return transpiledModule(url, nextLoad(url, { ...context, format: 'module' }).source)
  },
}
