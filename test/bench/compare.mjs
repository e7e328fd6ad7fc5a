#!/usr/bin/env node
/**
 * npm run bench:compare -- [--cells S0,S1,S2,S2-fresh,S6,S7,S7-checkpoints,
 *                          S7-leveldb,S2-10M-leveldb] [--reps n] [--json FILE] [--flink DIR | --no-flink]
 *                          [--quick] [--control wrong-checksum]
 * Millrace beside plain loops and, where it is there, Flink, on the frozen workloads: one process a run, a warm-up run in
 * each, all programs in turn. Speeds are records per second of the busiest thread. They are only printed when every run had the frozen
 * checksum; otherwise it says which had not and ends with 1.
 */
import { writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { cells as allCells, quickSizes } from './compare/cells.mjs'
import { flinkPrograms, javaVersion, kernelVersion, millrace, plainLoop, wrongMillrace } from './compare/programs.mjs'
import { compare, WrongChecksum } from './compare/rounds.mjs'
import { summary, tableOf } from './compare/table.mjs'
import { knownChecksum } from './known-checksums.mjs'

const { values: flags } = parseArgs({
  options: {
    cells: { type: 'string' },
    reps: { type: 'string', default: '5' },
    json: { type: 'string' },
    flink: { type: 'string' },
    'no-flink': { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    control: { type: 'string' },
  },
})
if (flags.control !== undefined && flags.control !== 'wrong-checksum') refuse(`no such control: ${flags.control}`)
const sizes = flags.quick ? quickSizes : allCells
const names = flags.cells?.split(',') ?? Object.keys(sizes)
const cells = Object.fromEntries(names.map((name) => [name, cellOf(name)]))
const flink = flags['no-flink'] ? { programs: [], skipped: 'it was not asked for' } : flinkPrograms(flags.flink)
const programs = [flags.control === undefined ? millrace : wrongMillrace, plainLoop, ...flink.programs]
const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  system: kernelVersion(),
  node: process.version,
  jdk: flink.programs.length > 0 ? javaVersion() : undefined,
}
const progress = (text) => process.stderr.write(`${text}\n`)
if (flink.skipped !== undefined) progress(`Flink is skipped: ${flink.skipped}`)
if (flags.quick) progress('Quick sizes: these figures are worth nothing.')

try {
  const rows = summary(cells, await compare({ cells, programs, reps: Number(flags.reps), progress }))
  console.log(
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}${machine.jdk === undefined ? '' : `, ${machine.jdk}`}`,
  )
  console.log(
    `Records per second of the busiest thread, ${flags.reps} runs each, every checksum as frozen. Ratios above 1: so many times as good.`,
  )
  console.log(tableOf(rows))
  if (flink.skipped !== undefined) console.log(`Flink skipped: ${flink.skipped}`)
  if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify({ machine, rows }, null, 2)}\n`)
} catch (thrown) {
  if (!(thrown instanceof WrongChecksum)) throw thrown
  console.error(`No speeds are told, since a checksum is wrong. ${thrown.message}`)
  process.exitCode = 1
}

function cellOf(name) {
  const size = sizes[name]
  if (size === undefined) refuse(`no such cell: ${name}; there are ${Object.keys(sizes).join(', ')}`)
  const cell = { ...allCells[name], ...size }
  const checksum = knownChecksum(cell.workload, cell.records, cell.keys)
  if (checksum === undefined) refuse(`${name}: there is no frozen checksum for this size`)
  return { ...cell, checksum }
}

function refuse(why) {
  console.error(why)
  process.exit(2)
}
