/** The files of a mini cluster as a test sees them: read and written at once, beside the process and its faults. */
import { type Node, namesOf, type SimulatedDisk } from '../base/simulated-disk.ts'

export class ClusterFiles {
  readonly #disk: () => SimulatedDisk

  constructor(disk: () => SimulatedDisk) {
    this.#disk = disk
  }

  /** Writes a file that survives a power loss; missing folders are made, a file that is there is replaced. */
  write(path: string, text: string): void {
    const disk = this.#disk()
    const folders = namesOf(path).slice(0, -1)
    for (let depth = 1; depth <= folders.length; depth++) {
      disk.makeFolder(`/${folders.slice(0, depth).join('/')}`)
      disk.syncFolder(`/${folders.slice(0, depth - 1).join('/')}`)
    }
    if (disk.find(path) !== undefined) disk.unlink(path)
    const file = disk.createFile(path)
    disk.append(file, new TextEncoder().encode(text))
    disk.syncFile(file)
    disk.syncFolder(`/${folders.join('/')}`)
  }

  /** The text of a file; undefined when there is none. */
  read(path: string): string | undefined {
    const node = this.#disk().find(path)
    return node?.kind === 'file' ? new TextDecoder().decode(node.bytes.subarray(0, node.length)) : undefined
  }

  /** The paths of all files below a folder, sorted; none when there is no folder. */
  list(folder = '/'): readonly string[] {
    const node = this.#disk().find(folder)
    return node === undefined ? [] : pathsBelow(node, `/${namesOf(folder).join('/')}`).sort()
  }
}

function pathsBelow(node: Node, path: string): string[] {
  if (node.kind === 'file') return [path]
  return [...node.live].flatMap(([name, child]) => pathsBelow(child, path === '/' ? `/${name}` : `${path}/${name}`))
}
