/**
 * A session with a command line, Flink's or ours: every command that has been recorded from Flink, against jobs of
 * cluster.mjs. Output and exit code must be those of the recording but for ids, paths, times and numbers.
 */

const UNKNOWN_JOB = '0'.repeat(32)

/**
 * `call(args)` runs the command and resolves with code, stdout, stderr; `recorded(name)` gives the text of a recording;
 * `spares`: five jobs that it may end.
 * Resolves with one result for each command: `{ name, problems }`.
 */
export async function commandSession({ call, recorded, job, spares, savepoints }) {
  const results = []
  const command = async (name, ...args) => {
    const [action] = name.split('-')
    const ended = await call([action, ...args])
    results.push({ name, problems: differences(recorded(name), ended) })
    return ended
  }
  const directory = `file://${savepoints}`
  const [stopped, drained, detached, canceled, saved] = spares

  await command('list')
  await command('list-running', '-r')
  await command('list-all', '-a')
  const made = await command('savepoint', job, directory)
  await command('savepoint-native', '-type', 'native', job, directory)
  await command('savepoint-detached', '-detached', job, directory)
  await command('savepoint-dispose', '-d', pathIn(made) ?? `${directory}/none`)
  await command('checkpoint', job)
  await command('checkpoint-full', '-full', job)
  await command('savepoint-unknown-job', UNKNOWN_JOB, directory)
  await command('savepoint-no-job-id')
  await command('stop-unknown-job', '-p', directory, UNKNOWN_JOB)
  await command('cancel-unknown-job', UNKNOWN_JOB)
  await command('checkpoint-unknown-job', UNKNOWN_JOB)
  await command('stop', '-p', directory, stopped)
  await command('stop-drain', '-d', '-p', directory, drained)
  await command('stop-detached', '-detached', '-p', directory, detached)
  await command('cancel', canceled)
  await command('cancel-with-savepoint', '-s', directory, saved)
  return results
}

/** The path of a savepoint that a command has told of. */
export function pathIn({ stdout }) {
  return /(?:Path:|stored in) (file:\S+?)\.?$/m.exec(stdout)?.[1]
}

function differences(text, { code, stdout, stderr }) {
  const wanted = /^exit code: (\d+)\n--- stdout\n([\s\S]*?)--- stderr\n([\s\S]*?)(?:--- requests|(?![\s\S]))/m.exec(
    text,
  )
  if (wanted === null) return ['there is no such recording']
  const [, exitCode, out, error] = wanted
  const problems = code === Number(exitCode) ? [] : [`exit code ${code}, recorded ${exitCode}: ${stderr.slice(0, 600)}`]
  for (const [what, is, was] of [
    ['stdout', general(stdout), general(out)],
    ['stderr', headingOf(stderr), headingOf(error)],
  ])
    if (is !== was) problems.push(`${what} is:\n${is}\nrecorded:\n${was}`)
  return problems
}

/** Rows of jobs are data: a list is as it must be when each row has the recorded form. */
function general(text) {
  return text
    .replace(/file:\S*\/savepoint-[0-9a-f]{6}-[0-9a-z]{12}/g, 'PATH')
    .replace(/file:\/\/\S*?(?=\.?$)/gm, 'DIRECTORY')
    .replace(/^\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d : [0-9a-f]{32} : .+ \([A-Z]+\)$/gm, 'ROW')
    .replace(/[0-9a-f]{32}/g, 'ID')
    .replace(/^(Checkpoint(?:\(FULL\))?) \d+/gm, '$1 N')
    .replace(/(?:ROW\n)+/g, 'ROWS\n')
    .trim()
}

/** What a script may look for in an error: that it is one, in Flink's words. What follows is told by each in its own way. */
function headingOf(text) {
  return /The program finished with the following exception:/.test(text)
    ? 'The program finished with an exception'
    : text.trim()
}
