/** S6 cold: a process that ends as under `kill -9`, and a second one that goes on from the newest checkpoint. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { median } from './measure.mjs'

const PROGRAM = fileURLToPath(new URL('run.mjs', import.meta.url))

/** From the start of the second process to its first output, `reps` times. Throws for a wrong checksum. */
export async function coldRecoveries(args, reps, expected) {
  const all = []
  for (let index = 0; index < reps; index++) all.push(await coldRecovery(args, expected))
  return {
    checksum: expected,
    startToFirstOutputMsMedian: Math.round(median(all)),
    startToFirstOutputMsWorst: Math.round(Math.max(...all)),
    startToFirstOutputMsAll: all.map(Math.round),
  }
}

async function coldRecovery(args, expected) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  try {
    const given = [...args, '--checkpoint-dir', folder, '--reps', '1', '--warmup', '0']
    const first = await life([...given, '--halt'])
    if (first.signal !== 'SIGKILL') throw new Error(`the first process was to be killed and was not: ${first.output}`)
    const startedAtMs = Date.now()
    const second = await life([...given, '--resume'])
    if (second.signal !== null || second.code !== 0) throw new Error(`the second process failed: ${second.output}`)
    const { checksum, firstOutputAtMs } = JSON.parse(second.output)
    if (checksum !== expected) throw new Error(`checksums differ: ${checksum} instead of ${expected}`)
    return firstOutputAtMs - startedAtMs
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function life(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text
    })
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, output }))
  })
}
