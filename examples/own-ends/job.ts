/**
 * The job of docs/guides/exactly-once.md: a replayable source and an exactly-once sink of one's own. Each split counts to
 * 5,000; each transaction of the sink is a file in ledger/, named by its number once it is committed.
 */
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, rename } from 'node:fs/promises'
import { defineSink, defineSource, StreamExecutionEnvironment, WatermarkStrategy } from 'millrace'

interface Click {
  readonly page: string
  readonly number: number
}

const clicks = defineSource({
  boundedness: 'bounded',
  splits: () => ['north', 'south'],
  start: () => 0,
  async *read(page, position) {
    for (let number = position; number < 5_000; number++) {
      if (number % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 20))
      yield { value: { page, number } satisfies Click, position: number + 1 }
    }
  },
})

const ledger = defineSink({
  async open(): Promise<{ rows: Click[] }> {
    await mkdir('ledger', { recursive: true })
    return { rows: [] }
  },
  write(transaction, click: Click) {
    transaction.rows.push(click)
  },
  async prepare(transaction) {
    const id = randomUUID()
    const file = await open(`ledger/${id}.prepared`, 'wx')
    await file.writeFile(JSON.stringify(transaction.rows))
    await file.sync()
    await file.close()
    await syncFolder()
    transaction.rows = []
    return id
  },
  async commit(_, ids) {
    for (const id of ids)
      if (!existsSync(`ledger/${id}.json`)) await rename(`ledger/${id}.prepared`, `ledger/${id}.json`)
    await syncFolder()
  },
})

async function syncFolder() {
  const folder = await open('ledger')
  await folder.sync()
  await folder.close()
}

const env = StreamExecutionEnvironment.getExecutionEnvironment()
env.enableCheckpointing('1 s').getCheckpointConfig().setCheckpointStorage('checkpoints')
env.fromSource(clicks, WatermarkStrategy.noWatermarks(), 'clicks').uid('clicks').sinkTo(ledger).uid('ledger')

await env.execute('ledger')
