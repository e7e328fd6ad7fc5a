import { describe, expect, it } from 'vitest'
import { isTooDeep, jsonBody } from '../../../src/rest/json-body.ts'

const bodyOf = (body: string | Uint8Array<ArrayBuffer> | ReadableStream, headers: Record<string, string> = {}) =>
  jsonBody(new Request('http://localhost/', { method: 'POST', body, headers, duplex: 'half' }))

/** Counts how many pieces were taken of a body that never ends. */
function endless(piece: Uint8Array) {
  let taken = 0
  const stream = new ReadableStream({
    pull(controller) {
      taken++
      controller.enqueue(piece)
    },
  })
  return { stream, taken: () => taken }
}

describe('a body', () => {
  it('is JSON', async () => {
    expect(await bodyOf('{"drain":true,"targetDirectory":"/ä"}')).toEqual({ drain: true, targetDirectory: '/ä' })
    expect(await bodyOf('[1]')).toEqual([1])
  })

  it('is an empty object where nothing was sent', async () => {
    expect(await bodyOf('')).toEqual({})
    expect(await bodyOf(' \n')).toEqual({})
    expect(await jsonBody(new Request('http://localhost/', { method: 'POST' }))).toEqual({})
  })

  it('is undefined where it is no JSON, or no text', async () => {
    expect(await bodyOf('{')).toBeUndefined()
    expect(await bodyOf('hello')).toBeUndefined()
    expect(await bodyOf(new Uint8Array([0xff, 0xfe]))).toBeUndefined()
    // The first half of a character, behind what would do without it.
    expect(await bodyOf(new Uint8Array([0x7b, 0x7d, 0xc3]))).toBeUndefined()
  })

  it('cannot change what objects inherit', async () => {
    const body = await bodyOf('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}')
    expect(Object.keys(body as object)).toEqual(['__proto__', 'constructor'])
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
  })

  it('is refused by its announced length before anything of it is read', async () => {
    const { stream, taken } = endless(new Uint8Array(1))
    const refused = bodyOf(stream, { 'content-length': '1048577' })
    await expect(refused).rejects.toMatchObject({ status: 413 })
    expect(taken()).toBeLessThanOrEqual(1)
  })

  it('is refused as soon as it is longer than a mebibyte where no length is announced', async () => {
    const { stream, taken } = endless(new Uint8Array(64 * 1024).fill(0x20))
    await expect(bodyOf(stream)).rejects.toMatchObject({ status: 413 })
    expect(taken()).toBeLessThanOrEqual(20)
  })

  it('is refused where it is nested more than 64 deep, and not where its texts hold brackets', async () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    await expect(bodyOf(nested(65))).rejects.toMatchObject({ status: 400 })
    await expect(bodyOf('{"a":'.repeat(100_000))).rejects.toMatchObject({ status: 400 })
    expect(await bodyOf(nested(64))).toBeInstanceOf(Array)
    expect(isTooDeep(JSON.stringify({ text: `\\"${'['.repeat(100)}` }))).toBe(false)
    expect(isTooDeep(`[${'[],'.repeat(100)}[]]`)).toBe(false)
  })

  it('that breaks off is refused', async () => {
    const stream = new ReadableStream({
      pull(controller) {
        controller.error(new Error('aborted'))
      },
    })
    await expect(bodyOf(stream)).rejects.toMatchObject({ status: 400 })
  })
})
