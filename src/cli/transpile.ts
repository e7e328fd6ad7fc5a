/** Turns TypeScript into JavaScript without checking types. The source map keeps positions in stack traces. */
import { transformSync } from '@swc/wasm-typescript'

/** JavaScript with its source map in it. Throws a SyntaxError whose message begins with `path:line:column: `. */
export function transpile(source: string, path: string): string {
  try {
    const { code, map } = transformSync(source, { mode: 'transform', module: true, filename: path, sourceMap: true })
    const encoded = Buffer.from(map ?? '').toString('base64')
    return map === undefined ? code : `${code}\n//# sourceMappingURL=data:application/json;base64,${encoded}\n`
  } catch (thrown) {
    throw compileError(thrown, path)
  }
}

/** The transpiler throws plain objects; columns count from 0. */
function compileError(thrown: unknown, path: string): unknown {
  if (typeof thrown !== 'object' || thrown === null || !('message' in thrown) || !('startLine' in thrown)) return thrown
  const column = 'startColumn' in thrown ? Number(thrown.startColumn) + 1 : 1
  return new SyntaxError(`${path}:${thrown.startLine}:${column}: ${thrown.message}`)
}
