/**
 * Every optional property that a user can meet is declared `?: X | undefined`, so that options are forwarded as they are
 * under exactOptionalPropertyTypes. Reads the sources, and from the public doors every type that a type there names.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript-5.5'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const DOORS = ['src/index.ts', 'src/rest/index.ts', 'src/testing/index.ts']
/** Met on the way, and filled in by the house alone: the table of options, operators, codecs of state. */
const OF_THE_HOUSE = ['OptionDefinition', 'Operator', 'CommitWork', 'EntryCodec']

type Declared = ts.InterfaceDeclaration | ts.TypeAliasDeclaration | ts.ClassDeclaration

/** Types by name. Where two have one name, both are looked at. */
const declared = new Map<string, Declared[]>()
for (const name of readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }))
  if (name.endsWith('.ts')) for (const type of typesOf(parsed(join(root, 'src', name)))) declare(type)

function parsed(path: string, text = readFileSync(path, 'utf8')): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true)
}

function typesOf(file: ts.SourceFile): Declared[] {
  return file.statements.filter(
    (each): each is Declared =>
      ts.isInterfaceDeclaration(each) || ts.isTypeAliasDeclaration(each) || ts.isClassDeclaration(each),
  )
}

function declare(type: Declared): void {
  if (type.name !== undefined) declared.set(type.name.text, [...(declared.get(type.name.text) ?? []), type])
}

/** Names that a file exports. */
function exported(path: string): string[] {
  const names: string[] = []
  for (const statement of parsed(path).statements)
    if (ts.isExportDeclaration(statement) && statement.exportClause && ts.isNamedExports(statement.exportClause))
      for (const { name, propertyName } of statement.exportClause.elements) names.push((propertyName ?? name).text)
  return names
}

/** A class has to declare an optional method as one: a subclass could not override a property by a method. */
function isLackingUndefined(node: ts.Node): node is ts.PropertySignature | ts.MethodSignature {
  if (ts.isMethodSignature(node)) return node.questionToken !== undefined
  if (!ts.isPropertySignature(node) && !ts.isPropertyDeclaration(node)) return false
  return node.questionToken !== undefined && !/\b(undefined|unknown)$|StateTtlConfig\[/.test(node.type?.getText() ?? '')
}

/** What is wrong in these types, and in those that they name. */
function findings(names: readonly string[]): string[] {
  const seen = new Set<string>(OF_THE_HOUSE)
  const wrong: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isBlock(node) || (ts.canHaveModifiers(node) && isHidden(node))) return
    if (isLackingUndefined(node)) {
      const { line } = node.getSourceFile().getLineAndCharacterOfPosition(node.getStart())
      wrong.push(`${relative(root, node.getSourceFile().fileName)}:${line + 1} ${node.getText()}`)
    }
    if (ts.isIdentifier(node)) follow(node.text)
    ts.forEachChild(node, visit)
  }
  const follow = (name: string): void => {
    if (seen.has(name)) return
    seen.add(name)
    for (const type of declared.get(name) ?? []) visit(type)
  }
  for (const name of names) follow(name)
  return wrong
}

/** Private, or said to be internal: it is not in the declarations. */
function isHidden(node: ts.HasModifiers): boolean {
  const isPrivate = ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword) === true
  return isPrivate || (ts.isPropertyDeclaration(node) && ts.isPrivateIdentifier(node.name))
}

test('every optional property of a public type is declared with undefined', () => {
  const names = DOORS.flatMap((door) => exported(join(root, door)))
  expect(names).toContain('FileSinkOptions')
  expect(findings(names)).toEqual([])
})

test('one that is not would be found, as a property, as a method, and in a type that another one names', () => {
  const text = 'interface Outer { of: Inner }\ninterface Inner { a?: number; b?(): void; c?: number | undefined }'
  for (const type of typesOf(parsed(join(root, 'stray.ts'), text))) declare(type)
  expect(findings(['Outer'])).toEqual(['stray.ts:2 a?: number;', 'stray.ts:2 b?(): void;'])
})
