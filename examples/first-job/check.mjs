/** Each sensor has sent 3,000 readings, so each count from 1 to 3,000 must stand in the files once for each sensor. */
import { readdirSync, readFileSync } from 'node:fs'

const seen = new Map()
for (const name of readdirSync('totals').filter((file) => file.startsWith('part-')))
  for (const line of readFileSync(`totals/${name}`, 'utf8').trim().split('\n')) {
    const { sensor, count } = JSON.parse(line)
    const place = `${sensor} ${count}`
    seen.set(place, (seen.get(place) ?? 0) + 1)
  }

let wrong = 0
for (let sensor = 0; sensor < 10; sensor++)
  for (let count = 1; count <= 3_000; count++) if (seen.get(`sensor-${sensor} ${count}`) !== 1) wrong++
console.log(
  wrong === 0 && seen.size === 30_000 ? 'exact' : `not exact: ${wrong} of 30,000 lines are missing or repeated`,
)
