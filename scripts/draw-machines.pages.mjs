/**
 * What stands in docs/machines/: for each chart a Mermaid picture and a table of its states. Pure: charts and the text of
 * their files in, pages out.
 *
 * An arrow is a transition with a target. What a state hears without being left stands in the table: as arrows from a state
 * to itself, these would bury the picture.
 */

const NOTE = '<!-- Generated from machines/ by scripts/draw-machines.mjs: do not edit. -->'
/** Mermaid gives other characters a meaning of their own, and so does a table of Markdown. */
const PLAIN = /^[\w.,() ]+$/

/** By file name. `textOf` gives the text of the file of a chart, by its path from the root. */
export function pagesOf(charts, textOf) {
  const drawn = Object.entries(charts).map(([name, chart]) => {
    const file = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    return { file, chart, answersFor: firstSentence(textOf(`machines/${file}.ts`)) }
  })
  return Object.fromEntries([['README.md', listOf(drawn)], ...drawn.map((one) => [`${one.file}.md`, pageOf(one)])])
}

/** Of the comment at the head of a file. */
function firstSentence(text) {
  const comment = /^\/\*\*(.*?)\*\//s
    .exec(text)?.[1]
    .replaceAll(/\s*\n \*\s*/g, ' ')
    .trim()
  const sentence = /^.*?[.?!](?=\s+[A-Z]|$)/.exec(comment ?? '')?.[0]
  if (sentence === undefined) throw new Error(`No sentence at the head of: ${text.slice(0, 80)}`)
  return sentence
}

function listOf(drawn) {
  return `# The charts

${NOTE}

${drawn.map(({ file, chart, answersFor }) => `- [${chart.id}](${file}.md): ${answersFor}`).join('\n')}

## How to read the pictures

An arrow is labelled with the fact that the chart is told. In brackets stands the guard that has to hold; where a state has
several answers to a fact, their guards are asked in the order of the file, and \`otherwise\` means that none held.
\`always\` is no fact: it happens as soon as its guard holds. An arrow from a box holds for each state in it that does not
answer the fact itself, and so does one from \`any state\`, whose target lies in the same box. Boxes that a dashed line parts
go on side by side. Orders are not drawn.

The table below each picture lists what a state hears without being left. What neither the picture nor the table gives a
state, or a box around it, changes nothing there.
`
}

function pageOf({ file, chart, answersFor }) {
  const table = insideOf(chart.root).map((node) => `| \`${node.path.join('.')}\` | ${staysOn(node)} |`)
  const inEveryState = staysOn(chart.root)
  return `# ${chart.id}

${NOTE}

${answersFor} The law is [machines/${file}.ts](../../machines/${file}.ts); [how to read this](README.md#how-to-read-the-pictures).

\`\`\`mermaid
${diagramOf(chart)}
\`\`\`

| state | hears without being left |
| --- | --- |
${[...(inEveryState === '' ? [] : [`| any state | ${inEveryState} |`]), ...table].join('\n')}
`
}

/** The text of the picture. */
export function diagramOf(chart) {
  const edges = new Map()
  for (const node of [chart.root, ...insideOf(chart.root)])
    for (const { target, label } of transitionsOf(node))
      if (target !== undefined) {
        const edge = `${startOf(node, target)} --> ${idOf(endOf(node, target))}`
        edges.set(edge, [...(edges.get(edge) ?? []), label])
      }
  const any = new Set([...edges.keys()].map((edge) => edge.split(' ')[0]))
  const arrows = [...edges].map(([edge, labels]) => `  ${edge} : ${labels.join('<br/>')}`)
  return ['stateDiagram-v2', ...contentsOf(chart.root, any, '  '), ...arrows].join('\n')
}

/** The states in a box. Arrows stand behind all boxes: a state belongs to the box in which Mermaid first reads of it. */
function contentsOf(box, any, indent) {
  const children = Object.values(box.states)
  if (box.type === 'parallel')
    return children.flatMap((child, place) => [
      ...(place > 0 ? [`${indent}--`] : []),
      ...declarationOf(child, any, indent),
    ])
  const lines = [`${indent}[*] --> ${idOf(box.initial.target[0])}`]
  if (any.has(anyOf(box))) lines.push(`${indent}state "any state" as ${anyOf(box)}`)
  for (const child of children) {
    lines.push(...declarationOf(child, any, indent))
    if (child.type === 'final') lines.push(`${indent}${idOf(child)} --> [*]`)
  }
  return lines
}

function declarationOf(node, any, indent) {
  const head = `${indent}state "${plain(node.key)}" as ${idOf(node)}`
  return isBox(node) ? [`${head} {`, ...contentsOf(node, any, `${indent}  `), `${indent}}`] : [head]
}

/** From a box to a state in it no arrow can be drawn: it begins at a state of its own there. */
const startOf = (node, target) => (isBox(node) && isInside(target, node) ? anyOf(node) : idOf(node))

/** And back to the box around it: the arrow ends where the box is entered. */
function endOf(node, target) {
  let end = target
  while (isBox(end) && isInside(node, end)) end = end.initial.target[0]
  return end
}

const staysOn = (node) =>
  transitionsOf(node)
    .filter(({ target }) => target === undefined)
    .map(({ label }) => label)
    .join('<br/>')

function transitionsOf(node) {
  const facts = [...node.transitions].map(([fact, list]) => [plain(fact), list])
  return [['always', node.always ?? []], ...facts].flatMap(([fact, list]) =>
    list.flatMap(({ guard, target, actions }, place) => {
      const when = guard === undefined ? (place > 0 ? 'otherwise' : '') : guardOf(guard)
      const label = `${fact}${when === '' ? '' : ` [${plain(when)}]`}`
      if (target !== undefined) return target.map((one) => ({ target: one, label }))
      return [{ target, label: actions.length > 0 ? label : `${label} (nothing comes of it)` }]
    }),
  )
}

function guardOf(guard) {
  if (typeof guard === 'string') return guard
  // What xstate's own combinations are made of.
  if (guard.stateValue !== undefined) return `in ${stateNameOf(guard.stateValue)}`
  const parts = (guard.guards ?? []).map(guardOf)
  if (guard.name === 'not' && parts.length === 1) return `not ${parts[0]}`
  if ((guard.name === 'and' || guard.name === 'or') && parts.length > 1) return parts.join(` ${guard.name} `)
  throw new Error(`A guard without a name cannot be drawn: ${guard}`)
}

function stateNameOf(value) {
  if (typeof value === 'string') return value
  return Object.entries(value)
    .map(([box, inner]) => `${box}.${stateNameOf(inner)}`)
    .join(' and ')
}

function plain(text) {
  if (!PLAIN.test(text)) throw new Error(`Cannot stand in a picture: ${text}`)
  return text
}

const isBox = (node) => Object.keys(node.states).length > 0
const insideOf = (node) => Object.values(node.states).flatMap((child) => [child, ...insideOf(child)])
const isInside = (node, box) => node === box || insideOf(box).includes(node)
const idOf = (node) => node.path.join('_')
const anyOf = (box) => [...box.path, 'any'].join('_')
