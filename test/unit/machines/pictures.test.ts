/** The pictures of the charts are those of the charts as they are, leave nothing out, and are text that Mermaid reads. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type AnyStateNode, and, createMachine, not, stateIn } from 'xstate'
import { charts } from '#machines/index'
import { diagramOf, pagesOf } from '../../../scripts/draw-machines.pages.mjs'

const root = new URL('../../../', import.meta.url)
const textOf = (path: string) => readFileSync(new URL(path, root), 'utf8')

test('docs/machines/ holds a picture of every chart as it is now, and nothing else (else: npm run docs)', () => {
  const names = readdirSync(new URL('docs/machines/', root))
  const found = Object.fromEntries(names.map((name) => [name, textOf(`docs/machines/${name}`)]))
  const due = pagesOf(charts, textOf)
  const stale = [...new Set([...Object.keys(found), ...Object.keys(due)])].filter((name) => found[name] !== due[name])
  expect(stale, 'pages of docs/machines/ that `npm run docs` would change').toEqual([])
  expect(names.length).toBe(Object.keys(charts).length + 1)
})

describe.each(Object.entries(charts))('the page of %s', (name, chart) => {
  const page = pagesOf({ [name]: chart }, textOf)[fileOf(name)] as string

  test('shows each transition once, as an arrow or in the table, and each state', () => {
    const answers = nodes(chart.root).flatMap((node) => [...node.transitions.values()].flat().concat(node.always ?? []))
    expect(shown(page)).toBe(answers.length)
    const rows = [...page.matchAll(/^\| `([\w.]+)` \|/gm)].map(([, state]) => state)
    expect(rows).toEqual(
      nodes(chart.root)
        .slice(1)
        .map((node) => node.path.join('.')),
    )
  })

  test('is text that Mermaid reads', () => {
    expect(misreadings(diagramOf(chart))).toEqual([])
  })
})

/** Two regions side by side, a state that ends, and facts of every kind that a picture has to tell apart. */
const sample = createMachine({
  id: 'sample',
  initial: 'both',
  on: { stop: '.over', ping: { actions: 'count' } },
  states: {
    both: {
      type: 'parallel',
      on: { leave: 'box' },
      states: {
        left: { initial: 'on', states: { on: { on: { flip: 'off' } }, off: {} } },
        right: { initial: 'idle', states: { idle: { always: { guard: 'isDue', target: 'busy' } }, busy: {} } },
      },
    },
    box: {
      initial: 'first',
      on: { skip: '.second' },
      states: {
        first: { on: { next: [{ guard: 'isReady', target: 'second' }, { target: '#sample.over' }], hush: {} } },
        second: { on: { again: 'second', back: '#sample.box', next: { guard: guarded(), target: '#sample.over' } } },
      },
    },
    over: { type: 'final' },
  },
})

/** As the coordinator of checkpoints combines its guards. */
function guarded() {
  return and(['isReady', not(stateIn({ both: { left: 'on' } }))]) as never
}

test('a picture tells apart what a chart can say', () => {
  expect(diagramOf(sample)).toBe(`stateDiagram-v2
  [*] --> both
  state "any state" as any
  state "both" as both {
    state "left" as both_left {
      [*] --> both_left_on
      state "on" as both_left_on
      state "off" as both_left_off
    }
    --
    state "right" as both_right {
      [*] --> both_right_idle
      state "idle" as both_right_idle
      state "busy" as both_right_busy
    }
  }
  state "box" as box {
    [*] --> box_first
    state "any state" as box_any
    state "first" as box_first
    state "second" as box_second
  }
  state "over" as over
  over --> [*]
  any --> over : stop
  both --> box : leave
  both_left_on --> both_left_off : flip
  both_right_idle --> both_right_busy : always [isDue]
  box_any --> box_second : skip
  box_first --> box_second : next [isReady]
  box_first --> over : next [otherwise]
  box_second --> box_second : again
  box_second --> box_first : back
  box_second --> over : next [isReady and not in both.left.on]`)
})

test('a page gives a chart the first sentence of its file, and what is heard without an arrow', () => {
  const pages = pagesOf({ sample }, () => '/**\n * Shows, e.g. here,\n * what is. And more.\n */\n')
  expect(pages['README.md']).toContain('- [sample](sample.md): Shows, e.g. here, what is.\n')
  expect(pages['sample.md']).toContain('| any state | ping |\n')
  expect(pages['sample.md']).toContain('| `box.first` | hush (nothing comes of it) |\n')
  expect(() => pagesOf({ sample }, () => 'import')).toThrow('No sentence')
})

test('what cannot be drawn is refused, and what Mermaid would misread is found (negative control)', () => {
  const chart = (on: object) => createMachine({ id: 'bad', initial: 'one', states: { one: { on } } } as never)
  expect(() => diagramOf(chart({ go: { guard: () => true, target: 'one' } }))).toThrow('A guard without a name')
  expect(() => diagramOf(chart({ 'a:b': 'one' }))).toThrow('Cannot stand in a picture: a:b')
  const bad = {
    'an undeclared end': '  state "a" as a\n  a --> b : go',
    'a state declared twice': '  state "a" as a\n  state "a" as a',
    'an open box': '  state "a" as a {',
    'a label with a colon': '  state "a" as a\n  a --> a : x:y',
    'an arrow in a box': '  state "a" as a {\n    state "b" as b\n    b --> b : go\n  }',
  }
  for (const [what, text] of Object.entries(bad)) expect(misreadings(`stateDiagram-v2\n${text}`), what).toHaveLength(1)
})

function fileOf(name: string): string {
  return `${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.md`
}

function nodes(node: AnyStateNode): readonly AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(nodes)]
}

/** How many transitions a page tells of. */
function shown(page: string): number {
  const labels = [...page.matchAll(/^ {2}\w+ --> \w+ : (.+)$/gm)].map(([, label]) => label as string)
  const cells = [...page.matchAll(/^\| (?:`[\w.]+`|any state) \| (.+) \|$/gm)].map(([, cell]) => cell as string)
  return [...labels, ...cells].flatMap((text) => text.split('<br/>')).length
}

/** Of the part of Mermaid that the pictures keep to, which has no second meaning anywhere. */
function misreadings(diagram: string): readonly string[] {
  const [head, ...lines] = diagram.split('\n')
  const found = head === 'stateDiagram-v2' ? [] : [`begins with ${head}`]
  const declared = lines.flatMap((line) => /^ +state "[\w ]+" as (\w+)(?: \{)?$/.exec(line)?.[1] ?? [])
  for (const id of new Set(declared)) if (declared.filter((one) => one === id).length > 1) found.push(`twice: ${id}`)
  let depth = 1
  for (const line of lines) {
    const text = line.trim()
    if (text === '}') depth -= 1
    const [, from, to] =
      /^(\w+|\[\*\]) --> (\w+|\[\*\])(?: : [\w.]+(?: \[[\w. ]+\])?(?:<br\/>[\w.]+(?: \[[\w. ]+\])?)*)?$/.exec(text) ??
      []
    const isArrow = from !== undefined && to !== undefined
    if (!isArrow && !/^(state "[\w ]+" as \w+( \{)?|\}|--)$/.test(text)) found.push(`no line of ours: ${text}`)
    if (isArrow && [from, to].some((end) => end !== '[*]' && !declared.includes(end))) found.push(`undeclared: ${text}`)
    if (isArrow && from !== '[*]' && to !== '[*]' && depth > 1) found.push(`in a box: ${text}`)
    if (text.endsWith('{')) depth += 1
  }
  if (depth !== 1) found.push('boxes are not closed')
  return found
}
