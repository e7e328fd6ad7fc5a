/** The house rules that a machine can check: which folder may import which, who may touch the outside world, file size. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Rooms by layer; a room sees its own files and every lower layer. */
const LAYERS: readonly (readonly string[])[] = [
  ['machines'],
  ['src/base'],
  ['src/elements', 'src/metrics'],
  ['src/state'],
  ['src/operators', 'src/checkpoint'],
  ['src/connectors', 'src/graph'],
  ['src/runtime'],
  ['src/api'],
  ['src/inspect'],
  ['src/rest'],
  ['src/testing', 'src/cli', 'src/dashboard'],
]
/** Who may import the charts and xstate. */
const CHART_ROOMS = ['src/runtime/control', 'src/inspect', 'src/testing', 'machines']
/** Node's modules that reach the outside world stay in base/; the reason for each exception stands beside it. */
const OUTSIDE = /^node:(fs|fs\/promises|net|timers|timers\/promises|worker_threads|child_process|os)$/
const OUTSIDE_EXCEPTIONS: Readonly<Record<string, string>> = {}
const GLOBALS =
  /(?<![.\w])(setTimeout|setInterval|setImmediate|clearTimeout|clearInterval|Math\.random|Date\.now|performance\.now|process\.hrtime|new Date\(\))/
/** Longer files, each with its reason. */
const LONG_FILES: Readonly<Record<string, string>> = {}
const LONGEST = 400

interface SourceFile {
  readonly path: string
  readonly text: string
  readonly imports: readonly string[]
}

const files = ['machines', 'src'].flatMap((folder) => sourceFiles(folder))

function sourceFiles(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const path = join(folder, name)
      const text = readFileSync(join(root, path), 'utf8')
      return { path, text, imports: importsOf(path, text) }
    })
}

/** Paths from the root for own files, names for packages. */
function importsOf(path: string, text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  const named = [...code.matchAll(/(?:from\s*|import\s*\(\s*|^import\s+)'([^']+)'/gm)].map(
    (match) => match[1] as string,
  )
  return named.map((name) => {
    if (name.startsWith('#machines/')) return `machines/${name.slice('#machines/'.length)}.ts`
    return name.startsWith('.') ? normalize(join(dirname(path), name)) : name
  })
}

function roomOf(path: string): string | undefined {
  return LAYERS.flat().find((room) => path.startsWith(`${room}/`))
}

function layerOf(room: string): number {
  return LAYERS.findIndex((rooms) => rooms.includes(room))
}

function brokenArrows(sources: readonly SourceFile[]): string[] {
  return sources.flatMap(({ path, imports }) =>
    imports.filter((target) => !arrowAllowed(path, target)).map((target) => `${path} imports ${target}`),
  )
}

function arrowAllowed(path: string, target: string): boolean {
  const inCharts = CHART_ROOMS.some((room) => path.startsWith(`${room}/`))
  if (target === 'xstate' || target.startsWith('xstate/')) return inCharts
  if (target === 'nanoid') return path === 'src/base/ids.ts'
  if (target === 'classic-level') return path.startsWith('src/state/level/')
  if (target.startsWith('machines/')) return inCharts
  if (path.startsWith('machines/')) return false
  if (OUTSIDE.test(target)) return path.startsWith('src/base/') || path in OUTSIDE_EXCEPTIONS
  if (!target.startsWith('src/')) return true
  if (path === 'src/index.ts') return true
  if (path.startsWith('src/runtime/data/') && target.startsWith('src/runtime/control/')) return false
  const from = roomOf(path)
  const to = roomOf(target)
  if (from === undefined || to === undefined) return false
  if (from === to) return true
  if (to === 'src/runtime' && from === 'src/api') return /runtime\/(execute|job-handle)\.ts$/.test(target)
  return layerOf(to) < layerOf(from)
}

describe('The house', () => {
  it('has no arrow between rooms but those of the architecture page', () => {
    expect(brokenArrows(files)).toEqual([])
  })

  it('finds an arrow that points upward', () => {
    const stray = { path: 'src/state/stray.ts', text: '', imports: ['src/runtime/execute.ts', 'xstate', 'node:fs'] }
    expect(brokenArrows([stray])).toHaveLength(3)
  })

  it('touches clocks, timers and random numbers in base alone', () => {
    const strays = files
      .filter(({ path }) => !path.startsWith('src/base/'))
      .flatMap(({ path, text }) => {
        const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '')
        const found = GLOBALS.exec(code)
        return found === null ? [] : [`${path}: ${found[0]}`]
      })
    expect(strays).toEqual([])
  })

  it('has no file over 400 lines without a reason', () => {
    const long = files.filter(({ text, path }) => text.split('\n').length > LONGEST && !(path in LONG_FILES))
    expect(long.map(({ path }) => path)).toEqual([])
  })

  it('says at the top of every file what it answers for', () => {
    const silent = files.filter(({ text }) => !/^(#!.*\n)?\/(\*\*|\/)/.test(text))
    expect(silent.map(({ path }) => relative('.', path))).toEqual([])
  })

  it('makes actors in one place', () => {
    const makers = files.filter(
      ({ text, path }) => /\bcreateActor\(/.test(text) && path !== 'src/runtime/control/host-chart.ts',
    )
    expect(makers.map(({ path }) => path)).toEqual([])
  })
})
