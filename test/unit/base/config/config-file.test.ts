import { describe, expect, test } from 'vitest'
import { readConfigFile, readConfiguration } from '../../../../src/base/config/config-file.ts'

/** Files by path; a folder is what some path begins with. */
const disk = (files: Readonly<Record<string, string>>) => ({
  async read(path: string) {
    return new TextEncoder().encode(files[path])
  },
  async stat(written: string) {
    const path = written.replace(/\/$/, '')
    const isFolder = Object.keys(files).some((one) => one.startsWith(`${path}/`))
    const kind = path in files ? ('file' as const) : isFolder ? ('folder' as const) : undefined
    return kind === undefined ? undefined : { kind, size: 1, device: '1', inode: '1' }
  },
})

describe('the configuration file', () => {
  const files = disk({
    'millrace.yaml': 'a: 1',
    'config.yaml': 'a: 2',
    'conf/flink-conf.yaml': 'a: 3',
    'conf/config.yaml': 'a: 4',
    'other.yaml': 'a: 5',
    'empty/readme.md': '',
  })
  const found = async (search: { named?: string; confDir?: string }) =>
    (await readConfigFile({ files, ...search }))?.path

  test('is the named one, else that of MILLRACE_CONF_DIR, else that of the current folder', async () => {
    expect(await found({ named: 'other.yaml', confDir: 'conf' })).toBe('other.yaml')
    expect(await found({ named: 'conf/', confDir: 'nowhere' })).toBe('conf/config.yaml')
    expect(await found({ confDir: 'conf' })).toBe('conf/config.yaml')
    expect(await found({})).toBe('millrace.yaml')
    expect(await readConfigFile({ files: disk({ 'flink-conf.yaml': 'a: b' }) })).toEqual({
      level: 'file',
      path: 'flink-conf.yaml',
      entries: [{ key: 'a', value: 'b', line: 1 }],
    })
  })

  test('that nobody named may be missing; one that somebody named may not', async () => {
    expect(await readConfigFile({ files: disk({}) })).toBeUndefined()
    await expect(found({ named: 'no.yaml' })).rejects.toMatchObject({ code: 'CONFIG_FILE_MISSING' })
    await expect(found({ named: 'empty' })).rejects.toThrow('a folder with none of millrace.yaml')
    await expect(found({ confDir: 'nowhere' })).rejects.toThrow('MILLRACE_CONF_DIR names nowhere, which is not there.')
  })
})

describe('YAML', () => {
  const read = (text: string) => readConfiguration('config.yaml', text)

  test('may be nested, flat or mixed, and every entry knows its line', () => {
    expect(
      read(
        '# comment\nexecution:\n  checkpointing:\n    interval: 10 s\n    max: 2\nflat.key: true\nmixed.a:\n  b: x\n',
      ),
    ).toEqual([
      { key: 'execution.checkpointing.interval', value: '10 s', line: 4 },
      { key: 'execution.checkpointing.max', value: 2, line: 5 },
      { key: 'flat.key', value: true, line: 6 },
      { key: 'mixed.a.b', value: 'x', line: 8 },
    ])
  })

  test('without a value says nothing; an anchor stands for what it names', () => {
    expect(read('')).toEqual([])
    expect(read('# nothing\n')).toEqual([])
    expect(read('a:\nb: ""\nc: ~')).toEqual([])
    expect(read('a: &x 5 s\nb: *x')).toEqual([
      { key: 'a', value: '5 s', line: 1 },
      { key: 'b', value: '5 s', line: 2 },
    ])
  })

  test.each([
    ['a: 1\nb: [1, 2', 'config.yaml:2'],
    ['a: 1\n\ta: 2', 'config.yaml:2'],
    ['a: 1\nb: 2\na: 3', 'config.yaml:3'],
    ['just a text', 'config.yaml:1'],
  ])('that is none is an error with its line', (text, place) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(place) }),
    )
  })
})

describe('flink-conf.yaml', () => {
  const read = (text: string) => readConfiguration('/etc/flink/flink-conf.yaml', text)

  test('is lines of key: value, with comments', () => {
    expect(
      read('# head\n\nrestart-strategy: fixed-delay # why\r\n  state.checkpoints.dir: hdfs://a:80/b\nempty:\n'),
    ).toEqual([
      { key: 'restart-strategy', value: 'fixed-delay', line: 3 },
      { key: 'state.checkpoints.dir', value: 'hdfs://a:80/b', line: 4 },
    ])
  })

  test('with a line that is none is an error with its number', () => {
    expect(() => read('a: 1\nb:2')).toThrow('/etc/flink/flink-conf.yaml:2: "b:2"')
  })
})
