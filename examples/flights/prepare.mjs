/**
 * Makes the input of the flights job from the data set that npm brings: 3 million flights of 2001 in one Parquet file
 * become four CSV files, each in order of time. Does nothing when they are there.
 */
import { createWriteStream, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'

const FILES = 4

/** @param {string} folder @param {(done: number, all: number) => void} progress */
export async function prepareFlights(folder, progress) {
  if (existsSync(folder)) return
  const path = fileURLToPath(new URL('../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url))
  const file = await asyncBufferFromFile(path)
  const metadata = await parquetMetadataAsync(file)
  const preparing = `${folder}.preparing`
  rmSync(preparing, { recursive: true, force: true })
  mkdirSync(preparing, { recursive: true })
  const outputs = Array.from({ length: FILES }, (_, index) =>
    createWriteStream(join(preparing, `flights-${index}.csv`)),
  )
  let row = 0
  for (const group of metadata.row_groups) {
    const rows = Number(group.num_rows)
    const flights = await parquetReadObjects({ file, metadata, compressors, rowStart: row, rowEnd: row + rows })
    const texts = outputs.map(() => '')
    for (const { date, delay, distance, origin, destination } of flights)
      texts[row++ % FILES] += `${date.getTime()},${delay},${distance},${origin},${destination}\n`
    for (const [index, text] of texts.entries()) await write(outputs[index], text)
    progress(row, Number(metadata.num_rows))
  }
  await Promise.all(outputs.map((output) => new Promise((resolve) => output.end(resolve))))
  renameSync(preparing, folder)
}

function write(output, text) {
  return new Promise((resolve, reject) => output.write(text, (error) => (error ? reject(error) : resolve())))
}
