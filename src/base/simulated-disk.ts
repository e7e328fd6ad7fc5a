/**
 * A disk in memory that knows what is durable. Bytes become durable by a sync of their file, entries of a folder by a
 * sync of that folder; what a power loss leaves of the rest is drawn. It counts nothing and schedules nothing.
 */
import { assert } from './assert.ts'
import { type Random, randomInteger } from './random.ts'

/**
 * What may survive a power loss of changes to folders that were not synced: `posix`: any subset; `ordered`: a prefix of
 * all of them, as a journal keeps it (there a sync makes everything before it durable). Bytes of files are lost, torn or
 * zeroed in both.
 */
export type DurabilityModel = 'posix' | 'ordered'

export interface PowerLoss {
  readonly random: Random
  readonly model: DurabilityModel
}

export interface FileNode {
  readonly kind: 'file'
  readonly inode: number
  bytes: Uint8Array
  length: number
  syncedLength: number
  /** Names in folders as they are now. */
  links: number
  /** How often something was appended. */
  writes: number
  /** A sync failed: the cache threw the bytes away, and later syncs lie. */
  poisoned: boolean
}

export interface FolderNode {
  readonly kind: 'folder'
  readonly inode: number
  readonly live: Map<string, Node>
  readonly durable: Map<string, Node>
}

export type Node = FileNode | FolderNode

/** One change of one entry that is not durable yet. */
interface Change {
  readonly sequence: number
  readonly folder: FolderNode
  readonly name: string
  /** Undefined: the entry goes. */
  readonly node: Node | undefined
  /** A rename of two folders never loses the file: the removal brings the addition with it; of a folder, both together. */
  needs: Change | undefined
}

/** Thrown by the disk; the port makes a FILE_ERROR of it. */
export class DiskRefusal extends Error {
  readonly code: string
  constructor(code: string) {
    super(code)
    this.code = code
  }
}

export class SimulatedDisk {
  readonly root: FolderNode
  #changes: Change[] = []
  #sequence = 0
  /** In the ordered model, everything up to here is durable. */
  #orderedFloor = 0
  #nextInode: number

  constructor(root: FolderNode = folderNode(1), nextInode = 2) {
    this.root = root
    this.#nextInode = nextInode
  }

  find(path: string): Node | undefined {
    let node: Node | undefined = this.root
    for (const name of namesOf(path)) {
      if (node === undefined) return undefined
      if (node.kind !== 'folder') return undefined
      node = node.live.get(name)
    }
    return node
  }

  folder(path: string): FolderNode {
    const node = this.find(path)
    if (node === undefined) throw new DiskRefusal('ENOENT')
    if (node.kind !== 'folder') throw new DiskRefusal('ENOTDIR')
    return node
  }

  file(path: string): FileNode {
    const node = this.find(path)
    if (node === undefined) throw new DiskRefusal('ENOENT')
    if (node.kind !== 'file') throw new DiskRefusal('EISDIR')
    return node
  }

  createFile(path: string): FileNode {
    const { folder, name } = this.#entry(path)
    if (folder.live.has(name)) throw new DiskRefusal('EEXIST')
    const node: FileNode = {
      kind: 'file',
      inode: this.#nextInode++,
      bytes: new Uint8Array(0),
      length: 0,
      syncedLength: 0,
      links: 0,
      writes: 0,
      poisoned: false,
    }
    this.#change(folder, name, node)
    return node
  }

  append(file: FileNode, bytes: Uint8Array): void {
    if (file.length + bytes.length > file.bytes.length) {
      const larger = new Uint8Array(Math.max(file.length + bytes.length, file.bytes.length * 2))
      larger.set(file.bytes.subarray(0, file.length))
      file.bytes = larger
    }
    file.bytes.set(bytes, file.length)
    file.length += bytes.length
    file.writes++
  }

  syncFile(file: FileNode): void {
    if (!file.poisoned) file.syncedLength = file.length
    this.#orderedFloor = this.#sequence
  }

  /** False when the folder is there already. */
  makeFolder(path: string): boolean {
    if (namesOf(path).length === 0) return false
    const { folder, name } = this.#entry(path)
    const existing = folder.live.get(name)
    if (existing?.kind === 'folder') return false
    if (existing !== undefined) throw new DiskRefusal('EEXIST')
    this.#change(folder, name, folderNode(this.#nextInode++))
    return true
  }

  rename(from: string, to: string): void {
    const source = this.#entry(from)
    const target = this.#entry(to)
    const node = source.folder.live.get(source.name)
    if (node === undefined) throw new DiskRefusal('ENOENT')
    const replaced = target.folder.live.get(target.name)
    if (replaced === node) return
    if (replaced?.kind === 'folder' && node.kind === 'file') throw new DiskRefusal('EISDIR')
    if (replaced?.kind === 'file' && node.kind === 'folder') throw new DiskRefusal('ENOTDIR')
    if (replaced?.kind === 'folder' && replaced.live.size > 0) throw new DiskRefusal('ENOTEMPTY')
    const addition = this.#change(target.folder, target.name, node)
    const removal = this.#change(source.folder, source.name, undefined)
    removal.needs = addition
    if (node.kind === 'folder') addition.needs = removal
  }

  link(from: string, to: string): void {
    const node = this.file(from)
    const { folder, name } = this.#entry(to)
    if (folder.live.has(name)) throw new DiskRefusal('EEXIST')
    this.#change(folder, name, node)
  }

  unlink(path: string): void {
    const { folder, name } = this.#entry(path)
    const node = folder.live.get(name)
    if (node === undefined) throw new DiskRefusal('ENOENT')
    if (node.kind === 'folder') throw new DiskRefusal('EISDIR')
    this.#change(folder, name, undefined)
  }

  removeEmptyFolder(path: string): void {
    const { folder, name } = this.#entry(path)
    if (this.folder(path).live.size > 0) throw new DiskRefusal('ENOTEMPTY')
    this.#change(folder, name, undefined)
  }

  syncFolder(path: string): void {
    const folder = this.folder(path)
    for (const change of [...this.#changes]) if (change.folder === folder) this.#persist(change)
    this.#orderedFloor = this.#sequence
  }

  /** The disk as it is found when the power comes back. This one is left as it is. */
  afterPowerLoss({ random, model }: PowerLoss): SimulatedDisk {
    const found = this.#copy()
    if (model === 'posix') {
      const share = [0, 1, random.next(), random.next()][randomInteger(random, 0, 3)] as number
      for (const change of [...found.#changes]) if (random.next() < share) found.#persist(change)
    } else {
      const cut = randomInteger(random, found.#orderedFloor, found.#sequence)
      for (const change of [...found.#changes]) if (change.sequence <= cut) found.#persist(change)
    }
    found.#changes = []
    settle(found.root, random, new Set())
    return found
  }

  #entry(path: string): { folder: FolderNode; name: string } {
    const names = namesOf(path)
    const name = names.pop()
    if (name === undefined) throw new DiskRefusal('EBUSY')
    return { folder: this.folder(`/${names.join('/')}`), name }
  }

  #change(folder: FolderNode, name: string, node: Node | undefined): Change {
    const replaced = folder.live.get(name)
    if (replaced?.kind === 'file') replaced.links--
    if (node?.kind === 'file') node.links++
    if (node === undefined) folder.live.delete(name)
    else folder.live.set(name, node)
    const change: Change = { sequence: ++this.#sequence, folder, name, node, needs: undefined }
    this.#changes.push(change)
    return change
  }

  /** Also what stands before it under the same name, and what it needs. */
  #persist(change: Change): void {
    if (!this.#changes.includes(change)) return
    const first = this.#changes.filter(
      (one) => one.folder === change.folder && one.name === change.name && one.sequence <= change.sequence,
    )
    this.#changes = this.#changes.filter((one) => !first.includes(one))
    if (change.node === undefined) change.folder.durable.delete(change.name)
    else change.folder.durable.set(change.name, change.node)
    for (const one of first) if (one.needs !== undefined) this.#persist(one.needs)
  }

  #copy(): SimulatedDisk {
    const copies = new Map<Node, Node>()
    const copy = <N extends Node>(node: N): N => {
      const known = copies.get(node)
      if (known !== undefined) return known as N
      const made: Node =
        node.kind === 'file' ? { ...node, bytes: node.bytes.slice(0, node.length) } : folderNode(node.inode)
      copies.set(node, made)
      if (node.kind === 'folder' && made.kind === 'folder') {
        for (const [name, child] of node.live) made.live.set(name, copy(child))
        for (const [name, child] of node.durable) made.durable.set(name, copy(child))
      }
      return made as N
    }
    const disk = new SimulatedDisk(copy(this.root), this.#nextInode)
    disk.#sequence = this.#sequence
    disk.#orderedFloor = this.#orderedFloor
    const changes = new Map<Change, Change>()
    for (const change of this.#changes) {
      const node = change.node === undefined ? undefined : copy(change.node)
      changes.set(change, { ...change, folder: copy(change.folder), node })
    }
    for (const change of changes.values()) if (change.needs !== undefined) change.needs = changes.get(change.needs)
    disk.#changes = [...changes.values()]
    return disk
  }
}

function folderNode(inode: number): FolderNode {
  return { kind: 'folder', inode, live: new Map(), durable: new Map() }
}

export function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.')
}

/** What is durable becomes what is there; each file meets its fate once, under however many names it stands. */
function settle(folder: FolderNode, random: Random, seen: Set<Node>): void {
  folder.live.clear()
  for (const [name, node] of folder.durable) {
    folder.live.set(name, node)
    if (node.kind === 'file') node.links = seen.has(node) ? node.links + 1 : 1
    if (seen.has(node)) {
      assert(node.kind === 'file', `the simulated folder '${name}' stands in two places`)
      continue
    }
    seen.add(node)
    if (node.kind === 'folder') settle(node, random, seen)
    else decideFate(node, random)
  }
}

function decideFate(file: FileNode, random: Random): void {
  const { syncedLength, length } = file
  if (syncedLength < length) {
    const cut = randomInteger(random, syncedLength, length - 1)
    const fate = file.poisoned ? randomInteger(random, 0, 2) : randomInteger(random, 0, 3)
    if (fate === 0) file.length = syncedLength
    else if (fate === 1) file.length = cut
    else if (fate === 2) file.bytes.fill(0, cut, length)
  }
  file.bytes = file.bytes.slice(0, file.length)
  file.syncedLength = file.length
  file.poisoned = false
}
