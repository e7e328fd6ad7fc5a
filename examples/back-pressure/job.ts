/**
 * The job of docs/guides/back-pressure.md: a sink that is slower than its source, and one checkpoint of it in each of three
 * ways: aligned, unaligned, and aligned as long as that goes quickly.
 */
import {
  type CheckpointConfig,
  DataGeneratorSource,
  type Sink,
  StreamExecutionEnvironment,
  WatermarkStrategy,
} from 'millrace'

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

let written = 0

/** Takes 2 ms for a record, as a service that answers over a network would. */
const slow: Sink<string> = {
  createWriter: () => ({
    async write() {
      await sleep(2)
      written++
    },
    flush() {},
    close() {},
  }),
}

async function tryOut(name: string, choose: (checkpoints: CheckpointConfig) => void) {
  const env = StreamExecutionEnvironment.getExecutionEnvironment({ configuration: { 'execution.channel-credit': 400 } })
  env.enableCheckpointing('1 h')
  choose(env.getCheckpointConfig())
  env
    .fromSource(
      new DataGeneratorSource((index) => `order ${index}`, { count: 1_000_000 }),
      WatermarkStrategy.noWatermarks(),
      'orders',
    )
    .rebalance()
    .sinkTo(slow)
    .name('slow')

  const client = await env.executeAsync(name)
  // By now the queue before the sink is full.
  const from = written
  while (written < from + 20) await sleep(5)

  await client.triggerCheckpoint()
  const checkpoint = client.checkpoints().latest.completed
  await client.cancel()

  const took = `${checkpoint?.endToEndMs} ms`.padStart(8)
  const inFlight = `${checkpoint?.persistedBytes} bytes`.padStart(12)
  console.log(`${name.padEnd(20)} took ${took}, ${inFlight} in flight stored`)
}

await tryOut('aligned', () => {})
await tryOut('unaligned', (checkpoints) => checkpoints.enableUnalignedCheckpoints())
await tryOut('aligned for 200 ms', (checkpoints) =>
  checkpoints.enableUnalignedCheckpoints().setAlignedCheckpointTimeout('200 ms'),
)
