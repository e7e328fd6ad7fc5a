#!/usr/bin/env node
/** The `millrace` command. The only place that ends a process, listens for signals and prints. */
import { resolve } from 'node:path'
import { setIdleTimer } from '../base/idle-timer.ts'
import { nodeHttpClient } from '../base/node-http-client.ts'
import { systemPorts } from '../base/system-ports.ts'
import { command } from './command.ts'
import { loadJob } from './load-job.ts'
import type { EndingSignal, Output } from './process-boundary.ts'
import { takenFrom } from './taken-output.ts'

const ports = systemPorts()
const { clock, files } = ports

/** In a function, so that loading the module needs no top-level await. */
async function main(): Promise<void> {
  const code = await command({
    argv: process.argv.slice(2),
    environment: process.env,
    out: output(process.stdout),
    err: output(process.stderr),
    clock,
    files,
    http: nodeHttpClient(),
    absolutePath: (path) => resolve(path),
    setArguments(jobPath, jobArguments) {
      process.argv.splice(1, process.argv.length - 1, jobPath, ...jobArguments)
    },
    importJob: loadJob,
    onSignal(heard) {
      for (const signal of ['SIGINT', 'SIGTERM'] satisfies EndingSignal[]) process.on(signal, () => heard(signal))
    },
    onIdle(idle) {
      process.once('beforeExit', idle)
      return () => process.off('beforeExit', idle)
    },
    onUncaught: (caught) => void process.on('uncaughtException', caught),
    setIdleTimer,
    async openRest(options, { configuration, logger }) {
      // Loaded for a run that has a server alone.
      const { restServer } = await import('../rest/rest-server.ts')
      const server = restServer(options)
      return { server, logger: await server.open({ ports: { ...ports, logger }, configuration }) }
    },
    exit: (exitCode) => process.exit(exitCode),
  })
  process.exit(code)
}

function output(stream: NodeJS.WriteStream): Output {
  const writeOwn = stream.write.bind(stream)
  return {
    write: (text) => void writeOwn(text),
    isTerminal: stream.isTTY === true,
    columns: () => stream.columns || 80,
    taken: takenFrom(stream),
    onForeignWrite(before) {
      stream.write = ((...given: Parameters<typeof writeOwn>) => {
        before()
        return writeOwn(...given)
      }) as typeof stream.write
    },
  }
}

main()
