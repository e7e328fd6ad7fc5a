/** Where a checkpoint lies, as Flink shows it. */
import { pathToFileURL } from 'node:url'

/** `file:/data/chk-1` for `/data/chk-1`; what cannot stand in a URI is escaped. */
export function fileLocation(path: string): string {
  return pathToFileURL(path).href.replace(/^file:\/\/\//, 'file:/')
}
