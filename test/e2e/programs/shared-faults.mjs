/**
 * Breaks on purpose what decides when a file that checkpoints share is deleted: `delete-early` forgets that older
 * checkpoints than the newest are retained, `never-delete` deletes nothing. Reaches into the built package for that.
 */
const BOOKS = new URL('../../../dist/src/checkpoint/shared-files.js', import.meta.url)

/** From now on, in this process. */
export async function breakSharedFiles(fault) {
  const { SharedFiles } = await import(BOOKS.href)
  const books = SharedFiles.prototype
  if (fault === 'never-delete') books.take = () => []
  if (fault !== 'delete-early') return
  const { publish } = books
  const published = new WeakMap()
  books.publish = function (location, names) {
    publish.call(this, location, names)
    for (const older of published.get(this) ?? []) this.retire(older)
    published.set(this, [location])
  }
}
