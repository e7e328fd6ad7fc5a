/**
 * File systems under which the publish protocol is broken in one way each: negative controls. What the job asks for is
 * left out, or done in another order; everything else is passed on.
 */
import type { FileOperation, FileSystem } from '../../src/base/file-system.ts'
import type { Loss } from './lives.ts'

export interface BrokenProtocol {
  readonly name: string
  /** The crash that brings it to light. */
  readonly loss: Loss
  readonly wrapFiles: (files: FileSystem) => FileSystem
}

export const BROKEN: readonly BrokenProtocol[] = [
  {
    name: 'folders are not synced',
    loss: 'posix',
    wrapFiles: (files) =>
      withExecute(files, (operations) => files.execute(operations.filter(({ type }) => type !== 'syncFolder'))),
  },
  { name: 'files are not synced', loss: 'posix', wrapFiles: withoutFileSync },
  {
    name: 'a checkpoint is reported before the folder that holds it is durable',
    loss: 'posix',
    wrapFiles: (files) =>
      withExecute(files, (operations) => {
        const published = operations.findIndex((operation) => publishedId(operation) !== undefined)
        return files.execute(
          operations.filter(({ type }, index) => published < 0 || index < published || type !== 'syncFolder'),
        )
      }),
  },
  {
    name: 'the old checkpoint is deleted before the new one is durable',
    loss: 'kill',
    wrapFiles: (files) =>
      withExecute(files, async (operations) => {
        for (const operation of operations) {
          const newest = publishedId(operation)
          if (newest !== undefined && operation.type === 'rename') await deleteOlder(files, operation.to, newest)
          await files.execute([operation])
        }
      }),
  },
  {
    name: 'output is committed before its checkpoint is durable',
    loss: 'kill',
    wrapFiles: (files) =>
      withExecute(files, async (operations) => {
        for (const operation of operations) {
          await files.execute([operation])
          if (operation.type !== 'rename' || !operation.to.endsWith('.pending')) continue
          const final = operation.to.replace(/\/\.(part-\d+-\d+\.txt)\..*$/, '/$1')
          await files.execute([{ type: 'link', from: operation.to, to: final }])
        }
      }),
  },
]

function withExecute(files: FileSystem, execute: FileSystem['execute']): FileSystem {
  return {
    openRead: (path) => files.openRead(path),
    createExclusive: (path) => files.createExclusive(path),
    read: (path) => files.read(path),
    stat: (path) => files.stat(path),
    list: (path) => files.list(path),
    gunzip: (packed, chunkBytes) => files.gunzip(packed, chunkBytes),
    execute,
  }
}

function withoutFileSync(files: FileSystem): FileSystem {
  const execute = async (operations: readonly FileOperation[]) => {
    for (const operation of operations) {
      if (operation.type !== 'writeNew') await files.execute([operation])
      else {
        const handle = await files.createExclusive(operation.path)
        await handle.append(operation.bytes)
        await handle.close()
      }
    }
  }
  return {
    ...withExecute(files, execute),
    async createExclusive(path) {
      const handle = await files.createExclusive(path)
      return { append: (bytes) => handle.append(bytes), sync: async () => {}, close: () => handle.close() }
    },
  }
}

/** Of the operation that makes a checkpoint visible. */
function publishedId(operation: FileOperation): number | undefined {
  if (operation.type !== 'rename' || !/\/epoch-\d+\//.test(operation.from)) return undefined
  const id = /\/chk-(\d+)$/.exec(operation.to)?.[1]
  return id === undefined ? undefined : Number(id)
}

async function deleteOlder(files: FileSystem, published: string, newest: number): Promise<void> {
  const folder = published.slice(0, published.lastIndexOf('/'))
  for (const { name } of await files.list(folder)) {
    const id = /^chk-(\d+)$/.exec(name)?.[1]
    if (id !== undefined && Number(id) < newest) await files.execute([{ type: 'remove', path: `${folder}/${name}` }])
  }
}
