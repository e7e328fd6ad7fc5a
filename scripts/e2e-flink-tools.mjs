/**
 * Flink's own tools against Millrace: the recorded answers of a real Flink (shape.mjs), its real command line, its real
 * dashboard in a headless Chromium. Each runs where what it needs is there; else it is skipped, and the reason is said.
 *
 *   npm run e2e:flink-tools                      everything
 *   npm run e2e:flink-tools -- --only cli        shape, cli, commands (ours, without Java), exact or dashboard; several: --only cli --only exact
 *   npm run e2e:flink-tools -- --quick           the dashboard is given less time for each page
 *   npm run e2e:flink-tools -- --within 100      what has not begun after so many seconds is skipped, by name
 *   npm run e2e:flink-tools -- --dashboard DIR   its files, already extracted; --shots DIR keeps a picture of each page
 *   npm run e2e:flink-tools -- --kit DIR         the recordings and scripts of Flink; ../shared/flink when left out
 *
 * The last lines printed are a table of what passed and failed. Ends with 1 when anything failed.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { commandSession } from '../test/e2e/flink-tools/command-session.mjs'
import { byDecision } from '../test/e2e/flink-tools/departures.mjs'
import { exactSession } from '../test/e2e/flink-tools/exact-session.mjs'
import { chromium, whatIsMissing } from '../test/e2e/flink-tools/present.mjs'
import { COMMAND, cluster, root, run } from '../test/e2e/flink-tools/processes.mjs'
import { makeReady } from './ready.mjs'

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    within: { type: 'string', default: 'Infinity' },
    dashboard: { type: 'string' },
    shots: { type: 'string' },
    kit: { type: 'string', default: join(root, '..', 'shared', 'flink') },
  },
})
const ENDS = ['stop', 'drain', 'cancel', 'cancel-with-savepoint']
const CHECKS = ['shape', 'cli', 'commands', 'exact', 'dashboard']
const SPARES = 5
const PAGE_MS = { quick: 500, whole: 1300 }

// As a part of other checks it runs what they have built.
if (process.env.npm_lifecycle_event === 'e2e:flink-tools') makeReady()
if (!existsSync(COMMAND)) {
  console.error(`${COMMAND} is missing: run "npm run build" first.`)
  process.exit(2)
}
const kit = resolve(options.kit)
const work = mkdtempSync(join(tmpdir(), 'millrace-flink-tools-'))
const missing = whatIsMissing(kit)
const wanted = new Set(options.only ?? CHECKS)
const table = []
const files = await dashboardFiles()
const commandLine = missing.cli ?? (wanted.has('cli') || wanted.has('exact') ? await startsNot() : undefined)

// What tells most comes first: time may be short.
const [firstEnd, ...otherEnds] = ENDS
if (isWanted('shape', missing.shape)) await shape(firstEnd)
if (isWanted('cli', commandLine)) await session('flink', flink)
if (isWanted('exact', commandLine)) tell('exact', await exactSession({ call: flink, folder: folderOf('exact') }))
if (isWanted('commands', missing.shape)) await session('millrace', millrace)
if (isWanted('dashboard', chromium() === undefined ? missing.dashboard : files.missing)) await dashboard()
for (const end of otherEnds) if (isWanted('shape', missing.shape, ` --end ${end}`)) await shape(end)

const failed = table.some(([, , failures]) => failures > 0)
console.log(`\n${'check'.padEnd(34)} passed  failed  departs`)
for (const [name, passed, failures, departs = ''] of table)
  console.log(`${name.padEnd(34)} ${String(passed).padStart(6)} ${String(failures).padStart(7)}  ${departs}`)
if (!failed) rmSync(work, { recursive: true, force: true })
else console.log(`files: ${work}`)
process.exit(failed ? 1 : 0)

function isWanted(name, lacking, more = '') {
  if (!wanted.has(name)) return false
  const isLate = performance.now() > 1000 * Number(options.within)
  const reason =
    lacking === undefined ? (isLate ? `${options.within} s are over` : undefined) : `there is no ${lacking}`
  if (reason !== undefined) console.log(`skipped ${name}${more}: ${reason}`)
  return reason === undefined
}

/** On fresh jobs: the recordings replayed, operations triggered, and the running job ended in this way. */
async function shape(end) {
  const folder = folderOf(`shape-${end}`)
  const served = files.folder === undefined ? [] : ['--dashboard', files.folder]
  const { first, end: close } = await cluster(['--folder', folder, ...served])
  if (files.folder === undefined) console.log(`skipped static/ of shape --end ${end}: there is no ${files.missing}`)
  const { code, stdout, stderr } = await run(process.execPath, [
    ...[join(kit, 'recordings', 'shape.mjs'), first.url, '--job', first.running],
    ...['--operations', `file://${folder}/operations`, '--end', end],
    ...(files.folder === undefined ? ['--skip', '^static/'] : []),
  ])
  await close()
  const { passed, failures, decided, text } = byDecision(stdout)
  if (text !== '') console.log(text)
  if (code === null || passed === undefined) console.log(`shape ${end} did not come to its end: ${stdout}${stderr}`)
  table.push([`shape --end ${end}`, passed ?? 0, failures, decided])
}

/** Every recorded command, against jobs of its own. */
async function session(name, call) {
  const folder = folderOf(`session-${name}`)
  const { first, end } = await cluster(['--folder', folder, '--spares', String(SPARES)])
  const recorded = (command) => readFileSync(join(kit, 'recordings', 'cli', `${command}.txt`), 'utf8')
  const results = await commandSession({
    call: (args) => call(first.url, args),
    recorded,
    job: first.running,
    spares: first.spares,
    savepoints: `${folder}/savepoints`,
  })
  await end()
  tell(`commands of ${name}`, results)
}

async function dashboard() {
  const { first, end } = await cluster(['--folder', folderOf('dashboard'), '--dashboard', files.folder])
  const { code, stdout, stderr } = await run(
    process.execPath,
    [
      ...[join(kit, 'dashboard', 'visit.mjs'), first.url, '--submit', '--chromium', chromium()],
      ...['--wait', String(options.quick ? PAGE_MS.quick : PAGE_MS.whole)],
      ...(options.shots === undefined ? [] : ['--shots', resolve(options.shots)]),
    ],
    { timeoutMs: 600_000 },
  )
  await end()
  const [, passed, failures] = /(\d+) passed, (\d+) failed\n$/.exec(stdout) ?? []
  if (code !== 0) console.log(stdout.replace(/^ok .*\n/gm, ''), stderr)
  table.push(['dashboard, pages', Number(passed ?? 0), Number(failures ?? 1)])
}

/** The files of the dashboard, extracted once; or what is missing of them. */
async function dashboardFiles() {
  if (options.dashboard !== undefined) return { folder: resolve(options.dashboard) }
  const folder = join(root, 'target', 'flink-dashboard')
  if (existsSync(join(folder, 'index.html'))) return { folder }
  if (missing.dashboard !== undefined) return { missing: missing.dashboard }
  mkdirSync(folder, { recursive: true })
  const { code, stdout, stderr } = await run('bash', [join(kit, 'dashboard', 'extract.sh'), folder])
  return code === 0 ? { folder } : { missing: `dashboard that can be extracted (${lastLine(stdout + stderr)})` }
}

/** What is missing for Flink's command line to start: its first call may need the network. */
async function startsNot() {
  const { code, stdout, stderr } = await run('bash', [join(kit, 'cli', 'flink.sh'), '--version'])
  return code === 0 ? undefined : `command line of Flink that starts (${lastLine(stdout + stderr)})`
}

function lastLine(text) {
  return text.trim().split('\n').at(-1)?.slice(0, 200)
}

/** Flink's real command line. */
function flink(url, args) {
  return run('bash', [join(kit, 'cli', 'flink.sh'), ...args, '-m', new URL(url).host])
}

function millrace(url, args) {
  return run(process.execPath, [COMMAND, ...args, '-m', new URL(url).host])
}

function tell(name, results) {
  const wrong = results.filter(({ problems }) => problems.length > 0)
  for (const result of wrong) console.log(`FAIL ${name}: ${result.name}\n${result.problems.join('\n')}`)
  table.push([name, results.length - wrong.length, wrong.length])
}

function folderOf(name) {
  const folder = join(work, name)
  mkdirSync(folder, { recursive: true })
  return folder
}
