/** The library from CommonJS: what it exports, and a job. One JSON line. */
const { CollectSink, StreamExecutionEnvironment } = require('millrace')

async function main() {
  const env = StreamExecutionEnvironment.getExecutionEnvironment()
  const sink = new CollectSink()
  env
    .fromData([1, 2])
    .map((value) => value + 1)
    .sinkTo(sink)
  await env.execute('from CommonJS')
  const doors = {}
  for (const door of process.argv.slice(2)) {
    try {
      doors[door] = Object.keys(require(door)).length > 0
    } catch (error) {
      doors[door] = error.code
    }
  }
  const imported = Object.keys(await import('millrace'))
  const required = Object.keys(require('millrace'))
  console.log(
    JSON.stringify({ results: sink.results(), doors, missing: imported.filter((n) => !required.includes(n)) }),
  )
}

main()
