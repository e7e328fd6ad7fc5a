/**
 * What lies outside of the job and outlives its processes: transactional stores in memory, the program that collects, and
 * the output files. Tells of each sink what is there at the end, in the order in which it came to be there.
 */
import type { Clock } from '../../../src/base/clock.ts'
import type { SimulatedDisk } from '../../../src/base/simulated-disk.ts'
import {
  CollectSink,
  type DataStream,
  defineSink,
  FileSink,
  type StreamExecutionEnvironment,
} from '../../../src/index.ts'
import { Ledger } from '../../jobs/parts.ts'
import { pathsBelow, textOf } from '../disk-contents.ts'
import type { Plan, SinkPlan } from './plan.ts'
import type { Row } from './records.ts'
import type { Trouble } from './trouble.ts'

export type SinkOfRows = Parameters<DataStream<Row>['sinkTo']>[0]

export interface OutsideSink {
  /** For the next process. */
  sink(trouble: Trouble, clock: Clock): SinkOfRows
  /** What can be seen. `lives`: of each process by itself, where each begins anew. */
  contents(disk: SimulatedDisk): Shown | { readonly lives: readonly (readonly Row[])[] }
}

interface Shown {
  readonly rows: readonly Row[]
  /**
   * Those of transactions whose commit never failed: they come in the order in which they were prepared. A commit that
   * fails does not stop those behind it, and a restore makes up for it: its transaction comes late.
   */
  readonly inTime: readonly Row[]
}

export const outsideSinks = ({ sinks }: Plan): readonly OutsideSink[] => sinks.map(outsideSink)

function outsideSink(sink: SinkPlan, nth: number): OutsideSink {
  switch (sink.kind) {
    case 'ledger':
      return ledger(sink)
    case 'defined':
      return defined(sink)
    case 'collect':
      return collected()
    case 'files':
      return files(sink, `/data/out-${nth}`)
  }
}

/** Nothing to wait for where a write takes no time. */
function passing({ slowMs }: SinkPlan, clock: Clock | undefined): Promise<void> | undefined {
  if (slowMs === 0) return undefined
  return new Promise((settle) => void clock?.setTimer(slowMs, settle))
}

function ledger(sink: SinkPlan): OutsideSink {
  let trouble: Trouble | undefined
  let clock: Clock | undefined
  const transactions = new Transactions()
  const store = new Ledger<Row>({
    open: () => trouble?.step('sink open'),
    write() {
      trouble?.call('sink write')
      return passing(sink, clock)
    },
    prepare: () => trouble?.step('prepareCommit'),
    commit(requests) {
      const committables = requests.map(({ committable }) => committable)
      const isAskedAgain = transactions.commit(committables, () => trouble?.commit('ledger'))
      if (isAskedAgain === true) for (const request of requests) request.retryLater()
    },
  })
  return {
    sink(next, itsClock) {
      trouble = next
      clock = itsClock
      return store
    },
    contents: () => ({ rows: store.committed, inTime: transactions.inTime() }),
  }
}

interface Transaction {
  readonly id: string
  readonly values: readonly Row[]
}

/** Those of one sink, in the order of their commits. */
class Transactions {
  readonly #late = new Set<string>()
  readonly #inTime = new Map<string, readonly Row[]>()

  /** `attempt` throws where the commit fails. */
  commit<R>(transactions: readonly Transaction[], attempt: () => R): R {
    try {
      const answer = attempt()
      for (const { id, values } of transactions) if (!this.#late.has(id)) this.#inTime.set(id, values)
      return answer
    } catch (thrown) {
      for (const { id } of transactions) this.#late.add(id)
      throw thrown
    }
  }

  inTime(): readonly Row[] {
    return [...this.#inTime.values()].flat()
  }
}

/** A store that knows transactions by id: to commit one twice changes nothing. */
function defined(plan: SinkPlan): OutsideSink {
  const prepared = new Map<string, readonly Row[]>()
  const committed: Row[] = []
  const done = new Set<string>()
  const transactions = new Transactions()
  const commit = (id: string) => {
    done.add(id)
    committed.push(...(prepared.get(id) ?? []))
  }
  const sink = (trouble: Trouble, clock: Clock) =>
    defineSink<{ rows: Row[] }, Row, string>({
      open() {
        trouble.step('sink open')
        return { rows: [] }
      },
      write(connection, row) {
        trouble.call('sink write')
        connection.rows.push(row)
        return passing(plan, clock)
      },
      prepare(connection) {
        trouble.step('prepareCommit')
        if (connection.rows.length === 0) return undefined
        const id = `transaction ${prepared.size}`
        prepared.set(id, connection.rows)
        if (trouble.sabotage === 'visible before the commit') commit(id)
        connection.rows = []
        return id
      },
      commit(_, ids) {
        const asked = ids.map((id) => ({ id, values: prepared.get(id) ?? [] }))
        transactions.commit(asked, () => trouble.commit('defined'))
        for (const id of ids) if (!done.has(id) || trouble.sabotage === 'committed twice') commit(id)
      },
    })
  return { sink, contents: () => ({ rows: committed, inTime: transactions.inTime() }) }
}

function collected(): OutsideSink {
  const lives: CollectSink<Row>[] = []
  return {
    sink() {
      const sink = new CollectSink<Row>()
      lives.push(sink)
      return sink
    },
    contents: () => ({ lives: lives.map((sink) => sink.results()) }),
  }
}

function files({ rollAtBytes }: SinkPlan, folder: string): OutsideSink {
  return {
    sink: () => FileSink.forJsonLines<Row>(folder, { rolling: { maxPartSize: rollAtBytes } }),
    contents(disk) {
      const rows = pathsBelow(disk, folder)
        .flatMap((path) => {
          const number = /\/part-\d+-(\d+)\.jsonl$/.exec(path)?.[1]
          return number === undefined ? [] : [{ path, number: Number(number) }]
        })
        .sort((one, other) => one.number - other.number)
        .flatMap(({ path }) => textOf(disk, path).split('\n').slice(0, -1))
        .map((line) => JSON.parse(line) as Row)
      return { rows, inTime: rows }
    },
  }
}

/** What the program read of `executeAndCollect`, process by process. */
export class ReadByProgram {
  readonly lives: Row[][] = []

  /** Resolves at the end of the job. */
  async run(
    stream: DataStream<Row>,
    jobName: string,
    options: Parameters<StreamExecutionEnvironment['execute']>[1],
  ): Promise<void> {
    const rows: Row[] = []
    this.lives.push(rows)
    const results = await stream.executeAndCollect(jobName, options)
    for await (const row of results) rows.push(row)
  }
}
