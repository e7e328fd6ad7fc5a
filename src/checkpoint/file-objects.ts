/** The objects of a checkpoint or savepoint that is a folder of files, wherever it lies. Reads only. */
import type { FileSystem } from '../base/file-system.ts'
import type { CheckpointObjects } from './checkpoint-storage.ts'

export function fileObjects(files: FileSystem, folder: string): CheckpointObjects {
  return {
    location: folder,
    list: async () => (await files.list(folder)).map(({ name, kind }) => ({ name, plain: kind === 'file' })),
    open: (name) => files.openRead(`${folder}/${name}`),
  }
}
