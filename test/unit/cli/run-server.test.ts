import { describe, expect, it } from 'vitest'
import { StreamError } from '../../../src/base/errors.ts'
import { silentLogger } from '../../../src/base/logger.ts'
import type { RunningJob } from '../../../src/base/run-context.ts'
import type { ProcessBoundary } from '../../../src/cli/process-boundary.ts'
import { FakeJob, runCommand, settled } from './fake-process.ts'

/** A server that remembers what was done with it. */
function fakeServer() {
  const done: string[] = []
  const log: string[] = []
  let answer: () => void = () => {}
  const openRest: ProcessBoundary['openRest'] = async (options, { configuration, logger }) => {
    done.push(`open ${JSON.stringify(options)} ${configuration.get('rest.bind-port')}`)
    return {
      logger: { ...silentLogger, info: (line) => void log.push(line), warn: logger.warn },
      server: {
        url: 'http://127.0.0.1:8081',
        port: 8081,
        open: async () => silentLogger,
        serve: ({ jobName }) => void done.push(`serve ${jobName}`),
        answered: () =>
          new Promise((resolve) => {
            answer = resolve
          }),
        close: async (how) => void done.push(`close ${JSON.stringify(how)}`),
      },
    }
  }
  return { openRest, done, log, answer: () => answer() }
}

const shown = (job: FakeJob): RunningJob =>
  Object.assign(job, { executionGraph: () => {}, measurements: () => [], checkpoints: () => {} })

describe('millrace run with a REST server', () => {
  it('opens it before the job file is evaluated, shows the jobs, and ends when the results were asked for', async () => {
    const server = fakeServer()
    const job = new FakeJob()
    const { code, idle } = runCommand(
      ['run', '-D', 'rest.bind-port=9000', '--port', '7', '--dashboard', 'web', 'job.js'],
      {
        job({ jobStarted, logger }) {
          server.done.push('evaluated')
          logger.info('said by the job')
          jobStarted(shown(job))
        },
        openRest: server.openRest,
      },
    )
    await settled()
    job.end('FINISHED')
    await settled()
    idle()
    await settled()
    expect(server.done).toEqual(['open {"port":7,"dashboard":"/work/web"} 9000', 'evaluated', 'serve words'])
    server.answer()
    await settled()
    idle()
    expect(await code).toBe(0)
    expect(server.done.at(-1)).toBe('close {}')
    expect(server.log).toEqual(['said by the job'])
  })

  it('ends with 2 where its port is in use, and does not evaluate the job file', async () => {
    const server = fakeServer()
    const busy = new StreamError('REST_NOT_LISTENING', { message: 'in use', details: { exitCode: 2 } })
    const { code } = runCommand(['run', 'job.js'], {
      job: () => void server.done.push('evaluated'),
      openRest: () => Promise.reject(busy),
    })
    expect(await code).toBe(2)
    expect(server.done).toEqual([])
  })

  it('tells a program with --json where the server is, before the job file is evaluated', async () => {
    const server = fakeServer()
    const { out } = runCommand(['run', '--json', 'job.js'], { job: () => {}, openRest: server.openRest })
    await settled()
    expect(JSON.parse(out().split('\n')[0] ?? '')).toMatchObject({
      type: 'rest.listening',
      url: 'http://127.0.0.1:8081',
    })
  })

  it('has none with --no-rest', async () => {
    const server = fakeServer()
    const job = new FakeJob()
    const { code, idle } = runCommand(['run', '--no-rest', 'job.js'], {
      job: ({ jobStarted }) => jobStarted(job),
      openRest: server.openRest,
    })
    await settled()
    job.end('FINISHED')
    await settled()
    idle()
    expect(await code).toBe(0)
    expect(server.done).toEqual([])
  })

  it('says once that jobs of another copy of the package cannot be shown', async () => {
    const server = fakeServer()
    const jobs = [new FakeJob('one'), new FakeJob('two')]
    const { err } = runCommand(['run', 'job.js'], {
      job: ({ jobStarted }) => jobs.forEach(jobStarted),
      openRest: server.openRest,
    })
    await settled()
    expect(server.done.filter((line) => line.startsWith('serve'))).toEqual([])
    expect(err().match(/the REST interface cannot show/g)).toHaveLength(1)
  })

  it('does not wait for anybody when a signal ends the run', async () => {
    const server = fakeServer()
    const job = new FakeJob()
    const { code, signal } = runCommand(['run', 'job.js'], {
      job: ({ jobStarted }) => jobStarted(shown(job)),
      openRest: server.openRest,
    })
    await settled()
    signal('SIGTERM')
    await settled()
    expect(await code).toBe(143)
    expect(server.done.at(-1)).toBe('close {"withinMs":0}')
  })
})
