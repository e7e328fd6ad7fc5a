/**
 * A web server with a job in it: POST /hit?visitor=V&page=P tells of a page, GET /visits gives the finished visits, GET
 * /health the job's status. SIGTERM and SIGINT stop both, and the next start goes on with the open visits.
 *
 * node server.js PORT FOLDER
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JobClient } from 'millrace'
import { openJournal } from './journal.ts'
import { declareVisits, type Hit } from './visits.ts'

const [port = '8080', folder = 'target/visits/data'] = process.argv.slice(2)

async function main(): Promise<void> {
  const asked = new Promise((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
  })
  mkdirSync(folder, { recursive: true })
  const append = await openJournal<Hit>(`${folder}/journal`)

  await using job = await declareVisits(folder).executeAsync('visits', { resume: 'latest' })
  const ended = logEnd(job)

  const answers: Record<string, (query: URLSearchParams) => unknown> = {
    '/hit': (query) => append({ visitor: query.get('visitor') ?? 'nobody', page: query.get('page') ?? '/' }),
    '/visits': () => finishedVisits(),
    '/health': () => job.getJobStatus(),
  }
  const server = createServer(async ({ url = '/' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://server')
    try {
      const answer = answers[pathname]
      const body = await answer?.(searchParams)
      response.writeHead(answer === undefined ? 404 : 200).end(JSON.stringify(body))
    } catch (error) {
      console.error(error)
      response.writeHead(500).end()
    }
  })
  server.listen(Number(port), '127.0.0.1', () => {
    console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  })

  await Promise.race([asked, ended])
  server.close()
  server.closeIdleConnections()
} // Leaving the scope of `job` suspends it: a last checkpoint, kept for the next start.

/** Tells of restarts. Resolves when the job has ended; when it failed, the process shall say so with its exit code. */
async function logEnd(job: JobClient): Promise<void> {
  for await (const event of job.events())
    if (event.type === 'restart.scheduled') console.warn(`restart in ${event.delayMs} ms:`, event.error)
  if ((await job.getJobStatus()) === 'FAILED') process.exitCode = 1
}

function finishedVisits(): unknown[] {
  return readdirSync(`${folder}/visits`)
    .filter((name) => name.startsWith('part-'))
    .flatMap((name) => readFileSync(`${folder}/visits/${name}`, 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

await main()
