/** The same question answered by one pass over the input, with no engine: what the job's output must equal. */
import { createReadStream, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const HOUR = 3_600_000

/** `airport hour` to `{ flights, delay }`. */
export async function countPlainly(folder) {
  const sums = new Map()
  for (const name of readdirSync(folder)) {
    for await (const line of createInterface({ input: createReadStream(join(folder, name)) })) {
      const [time, delay, , origin] = line.split(',')
      const key = `${origin} ${Math.floor(Number(time) / HOUR) * HOUR}`
      const sum = sums.get(key)
      if (sum === undefined) sums.set(key, { flights: 1, delay: Number(delay) })
      else {
        sum.flights++
        sum.delay += Number(delay)
      }
    }
  }
  return sums
}

/** Every row of every finished file; names of unfinished ones begin with a dot. */
export function readRows(folder) {
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

/** What is wrong, in words; empty when the rows are exactly the sums, each once. */
export function differences(rows, sums) {
  const seen = new Set()
  const wrong = []
  for (const { airport, hour, flights, meanDelay } of rows) {
    const key = `${airport} ${hour}`
    const sum = sums.get(key)
    if (seen.has(key)) wrong.push(`twice: ${key}`)
    else if (sum === undefined) wrong.push(`not in the input: ${key}`)
    else if (sum.flights !== flights || sum.delay / sum.flights !== meanDelay)
      wrong.push(
        `${key}: ${flights} flights, mean delay ${meanDelay}; counted ${sum.flights}, ${sum.delay / sum.flights}`,
      )
    seen.add(key)
  }
  for (const key of sums.keys()) if (!seen.has(key)) wrong.push(`missing: ${key}`)
  return wrong
}
