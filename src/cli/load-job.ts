/** Evaluates a job file in this process. Sees to it that TypeScript is transpiled and that `millrace` can be imported. */
import nodeModule, { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { nodeFileSystem } from '../base/node-file-system.ts'
import { checkNode, isCompileError, isTypeScript } from './job-file.ts'

/** `path` is absolute. Rejects with what the module threw, or could not be compiled for. At most one job file a process. */
export async function loadJob(path: string): Promise<void> {
  checkNode(process.version)
  if (isTypeScript(path)) process.setSourceMapsEnabled(true)
  if (isTypeScript(path) || !findsOwnPackage(path)) await hookModules()
  try {
    await import(pathToFileURL(path).href)
  } catch (thrown) {
    if (isCompileError(thrown) && !isTypeScript(path)) await locateCompileError(path)
    throw thrown
  }
}

/** Node 22.15 and later call hooks in this thread, and later ones warn of the other way; Node 20 has only that. */
async function hookModules(): Promise<void> {
  // The types are those of Node 20, which does not know it.
  const registerHooks: unknown = Reflect.get(nodeModule, 'registerHooks')
  if (typeof registerHooks !== 'function') return nodeModule.register(HOOKS)
  const { hooks } = await import('./module-hooks-in-thread.ts')
  registerHooks(hooks)
}

/** Node keeps the place of a compile error to itself. Throws one that names it, if it lies in the job file. */
async function locateCompileError(path: string): Promise<void> {
  const { transpile } = await import('./transpile.ts')
  transpile(new TextDecoder().decode(await nodeFileSystem().read(path)), path)
}

/** Node loads the hooks in a thread of its own, by their URL; they lie beside this file, in TypeScript or built. */
const HOOKS = import.meta.url.replace(/load-job(\.\w+)$/, 'module-hooks$1')

function findsOwnPackage(path: string): boolean {
  try {
    createRequire(pathToFileURL(path)).resolve('millrace')
    return true
  } catch {
    // Not installed where the job lies: the hooks give it the package of the command.
    return false
  }
}
