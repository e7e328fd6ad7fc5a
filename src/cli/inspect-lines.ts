/** The report of a checkpoint as people read it: facts, then one table an operator. */
import { printable } from '../inspect/checkpoint/printable.ts'
import type {
  CheckpointReport,
  InFlightReport,
  KeyedStateReport,
  OperatorReport,
  OperatorStateReport,
} from '../inspect/checkpoint/report.ts'

/** Lines for a terminal, without a newline at the end. No name in them can move its cursor. */
export function reportLines(report: CheckpointReport): readonly string[] {
  return [
    ...factLines(report),
    '',
    'properties',
    ...propertyLines(report),
    ...report.operators.flatMap((operator) => ['', ...operatorLines(operator, report.operators)]),
  ]
}

function factLines(report: CheckpointReport): readonly string[] {
  const { ownBytes, sharedBytes } = report.size
  return columns([
    ['path', report.path],
    ['job', `${report.jobName} (${report.jobId})`],
    ['epoch', String(report.epoch)],
    ['checkpoint', String(report.checkpointId)],
    ['kind', report.kind],
    ['format', report.format],
    ['triggered', report.triggeredAt ?? `at ${report.triggeredAtMs} ms, which is no date`],
    ['size', `${number(ownBytes)} bytes of its own, ${number(sharedBytes)} bytes shared`],
    ['verified', 'every file and every entry'],
  ])
}

function propertyLines({ properties }: CheckpointReport): readonly string[] {
  return indented(
    columns([
      ['checkpoint id', String(properties.id)],
      ['checkpoint type', properties.checkpoint_type],
      ['is savepoint', String(properties.is_savepoint)],
      ['savepoint format', properties.savepointFormat ?? 'none'],
      ['is unaligned', String(properties.is_unaligned)],
      ['trigger timestamp', String(properties.trigger_timestamp)],
      ['external path', properties.external_path],
      ['state size', number(properties.state_size)],
    ]),
  )
}

function operatorLines(operator: OperatorReport, all: readonly OperatorReport[]): readonly string[] {
  const { name, uid, operatorId, parallelism, maxParallelism, subtasks, finishedSubtasks } = operator
  const { keyedStates, operatorStates, inFlight, coordinatorBytes } = operator
  return [
    printable(`operator ${name}${uid === null ? '' : `, uid ${uid}`} (${operatorId})`),
    ...indented([
      `parallelism ${parallelism} of at most ${maxParallelism}, ${subtasks} subtasks, ${finishedSubtasks} finished`,
      ...(keyedStates.length === 0 ? [] : keyedLines(keyedStates)),
      ...(operatorStates.length === 0 ? [] : operatorStateLines(operatorStates)),
      ...(inFlight.length === 0 ? [] : inFlightLines(inFlight, all)),
      ...(coordinatorBytes === null ? [] : [`coordinator state: ${number(coordinatorBytes)} bytes`]),
    ]),
  ]
}

function keyedLines(states: readonly KeyedStateReport[]): readonly string[] {
  return columns([
    ['keyed state', 'kind', 'entries', 'bytes', 'key groups', 'serializers'],
    ...states.map(({ kind, name, serializers, entries, bytes, keyGroups }) => [
      name,
      kind,
      number(entries),
      number(bytes),
      number(keyGroups),
      serializers.map(serializerText).join(', '),
    ]),
  ])
}

function operatorStateLines(states: readonly OperatorStateReport[]): readonly string[] {
  return columns([
    ['operator state', 'mode', 'elements', 'bytes', 'subtasks', 'serializer'],
    ...states.map(({ name, mode, serializer, elements, bytes, subtasks }) => [
      name,
      mode,
      number(elements),
      number(bytes),
      number(subtasks),
      serializerText(serializer),
    ]),
  ])
}

function inFlightLines(edges: readonly InFlightReport[], operators: readonly OperatorReport[]): readonly string[] {
  const nameOf = (id: string) => operators.find(({ operatorId }) => operatorId === id)?.name ?? id
  return columns([
    ['in flight from', 'edge', 'input', 'records', 'bytes', 'subtasks', 'serializer'],
    ...edges.map(({ from, sideOutput, partitioner, input, records, bytes, subtasks, serializer }) => [
      sideOutput === null ? nameOf(from) : `${nameOf(from)}, side output ${sideOutput}`,
      partitioner,
      number(input),
      number(records),
      number(bytes),
      number(subtasks),
      serializerText(serializer),
    ]),
  ])
}

const serializerText = ({ id, version }: { readonly id: string; readonly version: number }) => `${id} ${version}`

/** Thousands apart; `?` for what is not known. */
function number(value: number | null): string {
  return value === null ? '?' : String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** Two spaces between the columns, each as wide as its widest cell. */
function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const cells = rows.map((row) => row.map(printable))
  const widths = (cells[0] ?? []).map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)))
  return cells.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

const indented = (lines: readonly string[]): readonly string[] => lines.map((line) => `  ${line}`)
