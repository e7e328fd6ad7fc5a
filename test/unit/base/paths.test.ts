import { expect, test } from 'vitest'
import { lastName, localPath, parentPath } from '../../../src/base/paths.ts'

test.each([
  ['/a/b', '/a/b'],
  ['/a/b/', '/a/b'],
  ['file:///a/b%20c', '/a/b c'],
  ['file:/a', '/a'],
  ['/a/../b', '/b'],
  ['rel/x', `${process.cwd()}/rel/x`],
])('%s is the path %s', (location, path) => {
  expect(localPath(location)).toBe(path)
})

test.each(['', 'a\0b', 's3://bucket/x', 'http://169.254.169.254/', 'hdfs://n/x', 'file://host/x', 'file:///a%2fb'])(
  '%j is refused by name',
  (location) => {
    expect(() => localPath(location)).toThrow(expect.objectContaining({ code: 'STORAGE_LOCATION' }))
  },
)

test('parents and names', () => {
  expect([parentPath('/a/b'), parentPath('/a'), parentPath('/'), lastName('/a/b')]).toEqual(['/a', '/', '/', 'b'])
})
