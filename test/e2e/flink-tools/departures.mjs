/** Where Millrace answers otherwise than Flink on purpose: what shape.mjs says of that is counted apart. Anything else fails. */

/** By the name of a recording: every line that may be said of it. */
const DEPARTURES = {
  // There are no accumulators: docs/decisions/0039-differences-from-flinks-rest.md.
  'job-failed/execution-result': /^\.job-execution-result\.accumulator-results\.(orders|weight)-seen: missing/,
  'job-finished/execution-result': /^\.job-execution-result\.accumulator-results\.(orders|weight)-seen: missing/,
  // A GET changes nothing unless the dashboard of this server sends it: docs/decisions/0036-rest-server.md.
  'errors/yarn-cancel-finished-job': /^status 403, recorded 409/,
}

/**
 * Of what shape.mjs printed: counts, and the text of what failed otherwise. What it counts itself decides: a failure that
 * is not understood here is one. `passed` is undefined where it has not come to its end.
 */
export function byDecision(printed) {
  const [, passed, failed] = /(\d+) passed, (\d+) failed\n$/.exec(printed) ?? []
  const blocks = printed.split(/^(?=FAIL )/m).filter((block) => block.startsWith('FAIL '))
  const reports = blocks.map((block) => block.replace(/^(?!FAIL | {7}).*\n?/gm, ''))
  const wrong = reports.filter((report) => !isDecided(report))
  const decided = reports.length - wrong.length
  return {
    passed: passed === undefined ? undefined : Number(passed),
    failures: passed === undefined ? 1 : Number(failed) - decided,
    decided,
    text: wrong.join(''),
  }
}

function isDecided(block) {
  const [head = '', ...lines] = block.trimEnd().split('\n')
  const allowed = DEPARTURES[/^FAIL (\S+)/.exec(head)?.[1] ?? '']
  return allowed !== undefined && lines.length > 0 && lines.every((line) => allowed.test(line.trim()))
}
