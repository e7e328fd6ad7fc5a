/** Runs every program on every cell, in turn, round after round; what one of them computes wrongly ends it all. */

/** A program computed something else than the reference: nothing may be said of speeds. */
export class WrongChecksum extends Error {
  constructor(cell, program, found, expected) {
    super(`${cell}: ${program} computed ${found}, the reference ${expected}`)
    this.name = 'WrongChecksum'
  }
}

/**
 * `cells`: by name, each with the `checksum` that it must have. Gives, by cell and program, the lines of all `reps` runs.
 * Programs take turns within a round, so that what else the machine does meets them alike.
 */
export async function compare({ cells, programs, reps, progress }) {
  const results = Object.fromEntries(
    Object.entries(cells).map(([name, cell]) => [
      name,
      programs.filter((program) => program.runs(cell)).map((program) => ({ program, lines: [] })),
    ]),
  )
  for (let round = 1; round <= reps; round++)
    for (const [name, cell] of Object.entries(cells))
      for (const { program, lines } of results[name]) {
        progress(`round ${round} of ${reps}: ${name}, ${program.name} ...`)
        const line = await program.run(cell)
        if (line.checksum !== cell.checksum) throw new WrongChecksum(name, program.name, line.checksum, cell.checksum)
        lines.push(line)
      }
  return results
}
