import { afterEach, describe, expect, test } from 'vitest'
import { offerRunContext, type RunContext } from '../../../src/base/run-context.ts'
import { SimulatedFileSystem } from '../../../src/base/simulated-file-system.ts'
import { encodeMetadata } from '../../../src/checkpoint/metadata-format.ts'
import type { JobGraph } from '../../../src/graph/job-graph.ts'
import { DiscardingSink } from '../../../src/index.ts'
import { Launchpad } from '../api/started-job.ts'
import { type StoredOperatorSpec, storedStates } from '../runtime/plan-fixture.ts'
import { type FakeRunOptions, runCommand } from './fake-process.ts'

afterEach(() => offerRunContext(undefined))

/** A checkpoint at `/chk`, of operators that the job does not have where `specs` names some. */
async function disk(...specs: readonly StoredOperatorSpec[]): Promise<SimulatedFileSystem> {
  const files = new SimulatedFileSystem()
  const { metadata } = storedStates(...specs)
  await files.execute([
    { type: 'makeFolder', path: '/chk' },
    { type: 'writeNew', path: '/chk/_metadata', bytes: encodeMetadata(metadata) },
  ])
  return files
}

async function graph(): Promise<JobGraph> {
  const pad = new Launchpad()
  pad.env.fromData([1]).uid('numbers').sinkTo(new DiscardingSink()).uid('sink')
  await pad.env.execute('job')
  return pad.last().graph
}

type Job = NonNullable<FakeRunOptions['job']>

const declaring =
  (...names: readonly string[]): Job =>
  async (context) => {
    const declared = { graph: await graph(), allowNonRestoredState: false, stateBackend: 'hashmap' }
    for (const jobName of names)
      if (context.plan?.jobDeclared({ jobName, ...declared }) === 'taken') await new Promise(() => {})
  }

const planning = async (argv: readonly string[], job: Job) => runCommand(['plan', ...argv], { disk: await disk(), job })

describe('millrace plan', () => {
  test.each([
    [['--from', '/chk', 'job.js']],
    [['job.js', '--from', '/chk']],
    [['-s', '/chk', 'job.js']],
    [['job.js', 'argument', '--from', '/chk', '--', '--from', 'mine']],
  ])('understands %j', async (argv) => {
    const run = await planning(argv, declaring('one'))
    expect(await run.code).toBe(0)
    expect(run.out()).toMatch(/^A restore would succeed\.$/m)
    expect(run.err()).toBe('')
  })

  test.each([
    [['job.js'], 'needs --from'],
    [['job.js', '--from', '/a', '-s', '/b'], 'two paths'],
    [['job.js', '--from', '/chk', '--frm'], '--frm'],
    [['--from', '/chk'], 'job'],
  ])('refuses %j with exit code 2', async (argv, text) => {
    const run = await planning(argv, () => expect.unreachable('the job file must not be evaluated'))
    expect(await run.code).toBe(2)
    expect(run.err()).toContain(text)
    expect(run.out()).toBe('')
  })

  test('ends with 1, and the reason behind the table, when a restore would fail', async () => {
    const gone = { uid: 'gone', coordinator: new Uint8Array(8) }
    const run = runCommand(['plan', 'job.js', '--from', '/chk'], { disk: await disk(gone), job: declaring('one') })
    expect(await run.code).toBe(1)
    expect(run.out()).toMatch(/^gone +orphaned, FAILS .* STATE_NOT_RESTORED$/m)
    expect(run.out()).toMatch(
      /^A restore would fail: STATE_NOT_RESTORED: .*\n {2}hint: .*--allowNonRestoredState.*\n$/m,
    )
    expect(run.err()).toBe('')
    const json = runCommand(['plan', 'job.js', '--json', '-s', '/chk'], {
      disk: await disk(gone),
      job: declaring('one'),
    })
    expect(await json.code).toBe(1)
    expect(JSON.parse(json.out()).restore).toMatchObject({ succeeds: false, error: { code: 'STATE_NOT_RESTORED' } })
  })

  test('gives the job its arguments, and what the command line says', async () => {
    let seen: RunContext | undefined
    const run = await planning(['-p', '3', '-n', 'job.js', 'a', '--from', '/chk'], async (context) => {
      seen = context
      await declaring('one')(context)
    })
    await run.code
    expect(run.argumentsOfJob).toEqual([['/work/job.js', 'a']])
    expect(seen?.layers[0]?.entries).toContainEqual({ key: 'parallelism.default', value: '3' })
    expect(seen?.plan?.options.allowNonRestoredState).toBe(true)
  })

  test('does not evaluate the job file for a path that is no checkpoint', async () => {
    const run = await planning(['job.js', '--from', '/none'], () =>
      expect.unreachable('the job file must not be evaluated'),
    )
    expect(await run.code).toBe(1)
    expect(run.err()).toContain("error CHECKPOINT_MISSING: The checkpoint file '/none/_metadata' is missing")
  })

  test('with --json says every error in the one document', async () => {
    const missing = await planning(['job.js', '--json', '--from', '/none'], () => {})
    expect(await missing.code).toBe(1)
    expect(JSON.parse(missing.out())).toMatchObject({
      type: 'plan',
      version: 1,
      path: '/none',
      checkpoint: null,
      job: null,
      operators: [],
      restore: { succeeds: false, error: { code: 'CHECKPOINT_MISSING' } },
    })
    const threw = await planning(['job.js', '--json', '--from', '/chk'], () => Promise.reject(new TypeError('oops')))
    expect(await threw.code).toBe(1)
    expect(JSON.parse(threw.out()).restore.error).toMatchObject({
      code: 'JOB_FILE_FAILED',
      causes: [{ message: 'oops' }],
    })
    expect(threw.err()).toBe('')
  })

  test('keeps an older copy of the package from starting the job', async () => {
    const run = await planning(['job.js', '--from', '/chk'], (context) => {
      void context.options
    })
    expect(await run.code).toBe(1)
    expect(run.err()).toContain('error VERSIONS_DIFFER: ')
  })

  test('shows why the job was refused', async () => {
    const refusal = new RangeError('no such operator')
    const run = await planning(['job.js', '--from', '/chk'], (context) => context.jobRefused('one', refusal))
    expect(await run.code).toBe(1)
    expect(run.err()).toContain('no such operator')
  })

  test('passes over jobs of another name, and says so when the wanted one does not come', async () => {
    const run = await planning(['job.js', '--from', '/chk', '--job-name', 'two'], declaring('one', 'two'))
    expect(await run.code).toBe(0)
    expect(run.out()).toContain('Program job "two"; it also has "one"')
    const none = await planning(['job.js', '--from', '/chk', '--job-name', 'three'], declaring('one', 'two'))
    const idle = setInterval(() => none.idle(), 1)
    expect(await none.code).toBe(2)
    clearInterval(idle)
    expect(none.err()).toContain('for "one", "two", and not for "three"')
  })

  test('shows names that hold control characters without obeying them', async () => {
    const run = await planning(['job.js', '--from', '/chk'], declaring('\u001b[2Jevil\u202e'))
    await run.code
    expect(run.out()).not.toContain('\u001b')
    expect(run.out()).toContain('\\u{1b}[2Jevil\\u{202e}')
  })
})
