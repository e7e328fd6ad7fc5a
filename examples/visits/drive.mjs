/** Compiles the server, browses on it, stops it with SIGTERM and then with SIGKILL, and counts what it makes of the hits. */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { root, run } from '../../scripts/ready.mjs'

const VISITORS = ['ann', 'bob', 'cem', 'dee', 'eva', 'fay']
const PAGES = ['/', '/news', '/shop', '/cart', '/paid']

/** Prints what happens; resolves with whether every hit stands in one visit. */
export async function drive({ data = join(root, 'target/visits/data') } = {}) {
  rmSync(data, { recursive: true, force: true })
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'examples/visits')])
  const start = () => startServer([join(root, 'target/visits/program/server.js'), '0', data])
  let hits = 0
  const browse = async (url, rounds) => {
    for (let round = 0; round < rounds; round++)
      for (const [index, visitor] of VISITORS.entries()) {
        const page = PAGES[(hits + index) % PAGES.length]
        const { ok } = await fetch(`${url}/hit?visitor=${visitor}&page=${page}`, { method: 'POST' })
        if (ok) hits++
      }
  }

  let server = await start()
  console.log(`the server is up, ${VISITORS.length} visitors browse`)
  await browse(server.url, 10)
  const code = await server.stop('SIGTERM')
  console.log(`stopped with SIGTERM while all visits are open (exit code ${code}), started again`)
  server = await start()
  await browse(server.url, 5)
  await wait(2_000)
  await browse(server.url, 5)
  await server.stop('SIGKILL')
  console.log('killed with SIGKILL, started again')
  server = await start()
  await browse(server.url, 5)
  try {
    const visits = await settled(server.url, hits)
    for (const { visitor, pages, from, to } of visits.sort(
      (a, b) => a.from - b.from || (a.visitor < b.visitor ? -1 : 1),
    ))
      console.log(`${visitor}   ${String(pages.length).padStart(3)} pages in ${String(to - from).padStart(5)} ms`)
    const counted = visits.reduce((sum, { pages }) => sum + pages.length, 0)
    console.log(`\n${hits} hits, ${counted} pages in ${visits.length} visits`)
    console.log(hits === counted ? 'exact' : 'not exact')
    return hits === counted
  } finally {
    await server.stop('SIGTERM')
  }
}

/** The finished visits, when they hold all hits or have not changed for three seconds. */
async function settled(url, hits) {
  let visits = []
  for (let unchanged = 0, before = -1; unchanged < 30; ) {
    visits = await (await fetch(`${url}/visits`)).json()
    const counted = visits.reduce((sum, { pages }) => sum + pages.length, 0)
    if (counted >= hits) break
    unchanged = counted === before ? unchanged + 1 : 0
    before = counted
    await wait(100)
  }
  return visits
}

function startServer(args) {
  const child = spawn(process.execPath, ['--enable-source-maps', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => child.on('close', resolve))
  const stop = (signal) => {
    child.kill(signal)
    return ended
  }
  return new Promise((resolve, reject) => {
    ended.then((code) => reject(new Error(`the server ended with ${code}`)))
    createInterface({ input: child.stdout }).on('line', (line) => {
      const url = /^listening on (.*)/.exec(line)?.[1]
      if (url !== undefined) resolve({ url, stop })
    })
  })
}
