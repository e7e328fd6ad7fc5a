/** Finds the configuration file and reads it through the file-system port. What the values mean is not its business. */
import { StreamError } from '../errors.ts'
import type { FileSystem } from '../file-system.ts'
import type { ConfigurationEntry, ConfigurationLayer } from './configuration-layer.ts'
import { readFlatConfiguration } from './flat-configuration.ts'
import { readYamlConfiguration } from './yaml-configuration.ts'

const OLD_FLAT_FILE = 'flink-conf.yaml'
/** In this order. */
const NAMES = ['millrace.yaml', 'config.yaml', OLD_FLAT_FILE]

export interface ConfigFileSearch {
  readonly files: Pick<FileSystem, 'read' | 'stat'>
  /** What `--config` says: a file, or a folder to look into. Nothing else is searched then. */
  readonly named?: string | undefined
  /** `$MILLRACE_CONF_DIR`: a folder to look into. The current folder is not searched then. */
  readonly confDir?: string | undefined
}

/**
 * The layer of the configuration file; undefined when nobody named one and the current folder has none.
 * Throws CONFIG_FILE_MISSING when one was named, CONFIG_INVALID with file and line when it cannot be read.
 */
export async function readConfigFile(search: ConfigFileSearch): Promise<ConfigurationLayer | undefined> {
  const path = await findConfigFile(search)
  if (path === undefined) return undefined
  const text = new TextDecoder().decode(await search.files.read(path))
  return { level: 'file', path, entries: readConfiguration(path, text) }
}

/** The entries of a file in the format that its name says. */
export function readConfiguration(path: string, text: string): readonly ConfigurationEntry[] {
  const isOldFlatFile = path.split(/[\\/]/).at(-1) === OLD_FLAT_FILE
  return isOldFlatFile ? readFlatConfiguration(path, text) : readYamlConfiguration(path, text)
}

async function findConfigFile({ files, named, confDir }: ConfigFileSearch): Promise<string | undefined> {
  const kindOf = async (path: string) => (await files.stat(path))?.kind
  const lookInto = async (folder: string | undefined) => {
    for (const name of NAMES) {
      const path = folder === undefined ? name : `${folder.replace(/[\\/]+$/, '')}/${name}`
      if ((await kindOf(path)) === 'file') return path
    }
    return undefined
  }
  if (named !== undefined) {
    const kind = await kindOf(named)
    if (kind === 'file') return named
    const found = kind === 'folder' ? await lookInto(named) : undefined
    if (found === undefined) throw missing('--config', named, kind)
    return found
  }
  if (confDir !== undefined && confDir !== '') {
    const found = await lookInto(confDir)
    if (found === undefined) throw missing('MILLRACE_CONF_DIR', confDir, await kindOf(confDir))
    return found
  }
  return lookInto(undefined)
}

function missing(by: string, path: string, kind: string | undefined): StreamError {
  return new StreamError('CONFIG_FILE_MISSING', {
    message: `${by} names ${path}, ${kind === 'folder' ? `a folder with none of ${NAMES.join(', ')}` : 'which is not there'}.`,
    hint: `Name a file, or a folder with one of ${NAMES.join(', ')}.`,
    details: { by, path },
  })
}
