import { describe, expect, test } from 'vitest'
import { transpile } from '../../../src/cli/transpile.ts'

describe('TypeScript', () => {
  test('loses its types, also those of imports that are not marked, and keeps enums and parameter properties', () => {
    const code = transpile(
      "import { Shape, area } from './x.ts'\nenum E { A }\nclass C { constructor(readonly n: Shape) {} }\nexport const a = area(E.A as number, C)",
      '/jobs/a.ts',
    )
    expect(code).toContain("import { area } from './x.ts'")
    expect(code).not.toMatch(/\bShape\b.*from|readonly|: Shape/)
    expect(code).toContain('this.n = n')
  })

  test('keeps positions by a source map that names the file', () => {
    const [, map = ''] =
      /base64,(.*)\n$/.exec(transpile('interface A {}\nexport const a: number = 1\n', '/jobs/a.ts')) ?? []
    expect(JSON.parse(Buffer.from(map, 'base64').toString())).toMatchObject({ sources: ['/jobs/a.ts'] })
  })

  test('that cannot be read is an error with file, line and column', () => {
    expect(() => transpile('const a = 1\nconst b: = 2\n', '/jobs/a.ts')).toThrow(/^\/jobs\/a\.ts:2:10: /)
    expect(() => transpile('const b: = 2\n', '/jobs/a.ts')).toThrow(SyntaxError)
  })
})
