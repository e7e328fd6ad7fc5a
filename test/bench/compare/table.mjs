/** From the lines of all runs to the figures and the table that is printed. */
import { median } from '../measure.mjs'

/** Records per second of the busiest thread, or what else the cell is about; spread as smallest and largest. */
export function summary(cells, results) {
  return Object.entries(results).flatMap(([cellName, entries]) => {
    const cell = cells[cellName]
    const rows = entries.map(({ program, lines }) => rowOf(cellName, cell, program.name, lines))
    const plain = rows.find(({ program }) => program === 'plain loop')
    const flink = best(rows.filter(({ program }) => program.startsWith('Flink')))
    return rows.map((row) => ({
      ...row,
      toPlainLoop: plain === undefined || row === plain ? undefined : advantage(row, plain),
      toFlink: flink === undefined || row.program.startsWith('Flink') ? undefined : advantage(row, flink),
    }))
  })
}

function rowOf(cellName, cell, program, lines) {
  const spread = spreadOf(lines.map(cell.figure === 'recovery' ? recoveryMs : (line) => line.records / busiest(line)))
  return {
    cell: cellName,
    program,
    unit: cell.figure === 'recovery' ? 'ms' : 'records/s',
    ...spread,
    cpuNsPerRecord: median(lines.map((line) => (line.cpuSeconds * 1e9) / line.records)),
    wallRecordsPerSecond: median(lines.map((line) => line.recordsPerSecond)),
    mostForeignCores: Math.max(...lines.flatMap((line) => line.foreignCoresAll)),
    lines,
  }
}

const busiest = ({ busiestThreadSeconds }) => busiestThreadSeconds
const recoveryMs = ({ recoveryMsMedian, recoveryMs: all }) => recoveryMsMedian ?? all[0]

function spreadOf(values) {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) }
}

/** The one to beat. */
function best(rows) {
  return [...rows].sort((one, other) => advantage(other, one) - 1)[0]
}

/** Above 1: `row` is so many times as good as `other`. */
function advantage(row, other) {
  return row.unit === 'ms' ? other.median / row.median : row.median / other.median
}

const HEAD = [
  'cell',
  'program',
  'median',
  'smallest - largest',
  'of plain loop',
  'of Flink',
  'CPU ns/record',
  'foreign cores',
]

/** Lines of text, columns aligned. */
export function tableOf(rows) {
  const texts = [HEAD, ...rows.map(textsOf)]
  const widths = HEAD.map((_, column) => Math.max(...texts.map((row) => row[column].length)))
  return texts
    .map((row) =>
      row.map((text, column) => (column < 2 ? text.padEnd(widths[column]) : text.padStart(widths[column]))).join('  '),
    )
    .join('\n')
}

function textsOf(row) {
  const show = row.unit === 'ms' ? (value) => `${Math.round(value)}` : (value) => (value / 1e6).toFixed(2)
  const unit = row.unit === 'ms' ? 'ms to recover' : 'M/s'
  const ratio = (value) => (value === undefined ? '-' : value.toFixed(2))
  return [
    row.cell,
    row.program,
    `${show(row.median)} ${unit}`,
    `${show(row.min)} - ${show(row.max)}`,
    ratio(row.toPlainLoop),
    ratio(row.toFlink),
    row.unit === 'ms' ? '-' : row.cpuNsPerRecord.toFixed(0),
    row.mostForeignCores.toFixed(2),
  ]
}
