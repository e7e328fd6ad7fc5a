/** How the tests are run. Two projects: starting a worker and loading the sources anew for each file costs more than most files. */
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take longest, longest first: begun last, they would leave the other cores idle at the end. */
const LONG = [
  'e2e/kill.test',
  'simulation/failing-disk.test',
  'simulation/crash-at-every-operation.test',
  'random-graphs/controls.test',
  'types/mistakes.test',
  'simulation/swarm.test',
  'simulation/publish-protocol.test',
  'e2e/takeover.test',
  'e2e/plan.test',
  'e2e/examples.test',
  'e2e/cli.test',
  'jobs/stop-at-the-end.test',
  'model/job.model.test',
  'simulation/failing-disk-leveldb.test',
  'simulation/shared-protocol.test',
  'simulation/zombie.test',
  'random-graphs/random-graphs.test',
]

/** These mock modules, measure, or start processes: each file gets a worker that nothing else has run in. */
const APART = ['test/bench/**/*.test.ts', 'test/e2e/**/*.test.ts', 'test/types/**/*.test.ts']
const MOCKED = ['test/simulation/random-graphs/in-flight-controls.test.ts', 'test/unit/base/errors.test.ts']

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => LONG.findIndex((name) => moduleId.includes(name))
    const others = await super.sort(files.filter((file) => place(file) < 0))
    return [...files.filter((file) => place(file) >= 0).sort((a, b) => place(a) - place(b)), ...others]
  }
}

export default defineConfig({
  resolve: { conditions: ['millrace-source'] },
  ssr: { resolve: { conditions: ['millrace-source'], externalConditions: ['millrace-source'] } },
  test: {
    pool: 'threads',
    maxWorkers: '100%',
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [...APART, ...MOCKED],
          isolate: false,
          setupFiles: ['test/shared-worker.ts'],
          testTimeout: 30_000,
        },
      },
      { extends: true, test: { name: 'apart', include: [...APART, ...MOCKED], testTimeout: 30_000 } },
    ],
  },
})
