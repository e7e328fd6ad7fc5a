/** The objects of a checkpoint or savepoint that is a folder of files, wherever it lies. Reads only. */
import type { FileSystem } from '../base/file-system.ts'
import { parentPath } from '../base/paths.ts'
import type { CheckpointObjects, ObjectFolder } from './checkpoint-storage.ts'

/** Beside the folders of a job's checkpoints. */
export const SHARED_NAME = 'shared'

export function fileObjects(files: FileSystem, folder: string): CheckpointObjects {
  return { ...objectsIn(files, folder), shared: objectsIn(files, `${parentPath(folder)}/${SHARED_NAME}`) }
}

function objectsIn(files: FileSystem, folder: string): ObjectFolder {
  return {
    location: folder,
    list: async () => (await files.list(folder)).map(({ name, kind }) => ({ name, plain: kind === 'file' })),
    open: (name) => files.openRead(`${folder}/${name}`),
  }
}
