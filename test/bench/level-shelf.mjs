/** Where the snapshots of a backend without a job lie: files of a folder, hashed when they are written and when they are read. */
import { createHash } from 'node:crypto'
import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'

const PIECE_BYTES = 256 * 1024

export class Shelf {
  #folder
  #names = 0

  constructor(folder) {
    this.#folder = folder
  }

  /** What a snapshot is written with. `bytes` counts what was written through it. */
  target(checkpointId, keyGroups) {
    const identity = { checkpointId, operatorId: '0'.repeat(32), subtask: 0, kind: 'keyed', keyGroups }
    const target = {
      bytes: 0,
      open: (scope = 'own') => {
        const path = `${scope}-${checkpointId}-${this.#names++}`
        return new ShelfStream(join(this.#folder, path), (length, sha256) => {
          target.bytes += length
          const file = { identity, path, length, sha256 }
          return scope === 'own' ? { type: 'file', ...file } : { type: 'shared', epoch: 1, ...file }
        })
      },
    }
    return target
  }

  async read(handle) {
    const pieces = []
    await this.scan(handle, (piece) => void pieces.push(Buffer.from(piece)))
    return new Uint8Array(Buffer.concat(pieces))
  }

  async scan({ path, length, sha256 }, take) {
    const file = await open(join(this.#folder, path))
    const hash = createHash('sha256')
    try {
      for (let offset = 0; offset < length; ) {
        const { bytesRead, buffer } = await file.read(new Uint8Array(PIECE_BYTES), 0, PIECE_BYTES, offset)
        const piece = buffer.subarray(0, bytesRead)
        hash.update(piece)
        await take(piece, length)
        offset += bytesRead
      }
    } finally {
      await file.close()
    }
    if (hash.digest('hex') !== sha256) throw new Error(`${path} has changed`)
  }
}

class ShelfStream {
  #path
  #handleOf
  #hash = createHash('sha256')
  #length = 0
  #block = new Uint8Array(PIECE_BYTES)
  #used = 0
  #file

  constructor(path, handleOf) {
    this.#path = path
    this.#handleOf = handleOf
  }

  append(bytes) {
    this.#length += bytes.length
    if (this.#used + bytes.length >= PIECE_BYTES) return this.#write(bytes.slice())
    this.#block.set(bytes, this.#used)
    this.#used += bytes.length
  }

  async finish() {
    await this.#write(new Uint8Array(0))
    await this.#file.sync()
    await this.#file.close()
    return this.#handleOf(this.#length, this.#hash.digest('hex'))
  }

  async abandon() {
    await this.#file?.close()
    await rm(this.#path, { force: true })
  }

  async #write(bytes) {
    const former = this.#block.slice(0, this.#used)
    this.#used = 0
    this.#file ??= await open(this.#path, 'wx')
    for (const part of [former, bytes]) {
      this.#hash.update(part)
      await this.#file.write(part)
    }
  }
}

/** A shelf in a new folder inside `folder`. */
export async function newShelf(folder) {
  const path = join(folder, 'shelf')
  await mkdir(path)
  return new Shelf(path)
}
