/**
 * Transfers become postings: each transfer debits one account and credits another, and every posting has a number and the
 * balance that it leaves. The transfers are server-sent events, read on from `Last-Event-ID`; the postings go to a bank
 * that takes them in two steps, prepare and commit. See bank.mjs for the other side.
 *
 * millrace run examples/ledger/job.ts http://localhost:PORT
 */
import {
  defineSink,
  defineSource,
  RestartStrategies,
  StreamExecutionEnvironment,
  ValueStateDescriptor,
  WatermarkStrategy,
} from 'millrace'

const bank = process.argv[2] ?? 'http://localhost:8070'

interface Transfer {
  readonly from: string
  readonly to: string
  readonly cents: number
}
interface Posting {
  readonly account: string
  /** Counts the postings of an account from 1: a gap or a repetition shows. */
  readonly number: number
  readonly cents: number
  readonly balance: number
}

const transfers = defineSource({
  boundedness: 'bounded',
  splits: async (): Promise<string[]> => (await ask('/branches')).json() as Promise<string[]>,
  start: () => 0,
  async *read(branch, lastId, signal) {
    const { body } = await ask(`/transfers?branch=${branch}`, { headers: { 'Last-Event-ID': String(lastId) }, signal })
    const decoder = new TextDecoder()
    let buffered = ''
    for await (const bytes of body ?? []) {
      const events = (buffered + decoder.decode(bytes, { stream: true })).split('\n\n')
      buffered = events.pop() ?? ''
      for (const event of events) {
        const fields = new Map(event.split('\n').map((line) => line.split(/: (.*)/, 2) as [string, string]))
        if (fields.get('event') === 'end') return
        yield { value: JSON.parse(fields.get('data') ?? '') as Transfer, position: Number(fields.get('id')) }
      }
    }
    throw new Error(`the bank hung up on ${branch}`) // the restart goes on from the last checkpoint
  },
})

const postings = defineSink({
  open: (): { staged: Posting[] } => ({ staged: [] }),
  write: (connection, posting: Posting) => void connection.staged.push(posting),
  async prepare(connection) {
    if (connection.staged.length === 0) return undefined
    const response = await ask('/postings', { method: 'POST', body: JSON.stringify(connection.staged) })
    connection.staged = []
    return ((await response.json()) as { id: string }).id
  },
  async commit(_, ids) {
    for (const id of ids) await ask(`/postings/${id}/commit`, { method: 'POST' })
  },
})

async function ask(path: string, init?: RequestInit): Promise<Response> {
  const response = await fetch(bank + path, init)
  if (!response.ok) throw new Error(`the bank answered ${response.status} to ${path}`)
  return response
}

const env = StreamExecutionEnvironment.getExecutionEnvironment().setParallelism(2)
env
  .enableCheckpointing('200 ms')
  .setRestartStrategy(RestartStrategies.exponentialDelayRestart({ initialBackoff: '50 ms', maxBackoff: '5 s' }))
env
  .fromSource(transfers, WatermarkStrategy.noWatermarks(), 'transfers')
  .uid('transfers')
  .flatMap(({ from, to, cents }) => [
    { account: from, cents: -cents },
    { account: to, cents },
  ])
  .keyBy(({ account }) => account)
  .process<Posting>((ctx) => {
    const latest = ctx.getState(new ValueStateDescriptor<Posting>('latest'))
    return {
      processElement({ account, cents }, _, out) {
        const { number = 0, balance = 0 } = latest.value() ?? {}
        const posting = { account, number: number + 1, cents, balance: balance + cents }
        latest.update(posting)
        out.collect(posting)
      },
    }
  })
  .name('accounts')
  .uid('accounts')
  .sinkTo(postings)
  .name('postings')
  .uid('postings')

await env.execute('ledger')
