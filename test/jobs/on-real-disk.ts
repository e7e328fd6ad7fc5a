/** Jobs on a real disk, with their state in real LevelDB behind a cache that holds almost nothing of it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { StreamExecutionEnvironment } from '../../src/api/stream-execution-environment.ts'
import type { FileSystem } from '../../src/base/file-system.ts'
import { type NodeFileSystem, nodeFileSystem } from '../../src/base/node-file-system.ts'
import { systemPorts } from '../../src/base/system-ports.ts'
import { startJob } from '../../src/runtime/execute.ts'

const left: { readonly files: NodeFileSystem; readonly folder: string }[] = []
afterEach(async () => {
  for (const { files, folder } of left.splice(0)) {
    await files.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})

export interface RealDisk {
  readonly checkpoints: string
  readonly scratch: string
  /** Incremental checkpoints, each piece of state in a file of its own. */
  env(): StreamExecutionEnvironment
}

/** A new folder, gone after the test. `wrap`: what jobs get instead of the file system itself. */
export function realDisk(wrap: (files: FileSystem) => FileSystem = (files) => files): RealDisk {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-jobs-'))
  const files = nodeFileSystem()
  left.push({ files, folder })
  const ports = systemPorts({ files: wrap(files) })
  const checkpoints = join(folder, 'checkpoints')
  const scratch = join(folder, 'scratch')
  return {
    checkpoints,
    scratch,
    env: () =>
      new StreamExecutionEnvironment({ ports: () => ports, layers: [], run: undefined, start: startJob }).configure({
        'state.backend.type': 'leveldb',
        'state.backend.leveldb.cache-size': '4 kb',
        'state.backend.leveldb.localdir': scratch,
        'execution.checkpointing.dir': checkpoints,
        'execution.checkpointing.data-inline-threshold': 0,
      }),
  }
}
