/** The command from its arguments to its exit code. Whatever goes wrong is shown as an error, never as a bare stack trace. */
import { parseCommandLine } from './command-line.ts'
import { exitCodeOfError, SUCCESS } from './exit-code.ts'
import type { ProcessBoundary } from './process-boundary.ts'
import { makeReporter } from './reporter.ts'
import { run } from './run.ts'

/** Resolves with the exit code; the process may end then. Never rejects. */
export async function command(boundary: ProcessBoundary): Promise<number> {
  // Arguments that are not understood are shown as JSON, too, where the word is among them.
  let reporter = makeReporter(boundary, { json: boundary.argv.includes('--json') })
  let code: number
  try {
    const line = parseCommandLine(boundary.argv)
    if (line.type === 'text') {
      boundary.out.write(line.text)
      return SUCCESS
    }
    reporter = makeReporter(boundary, { json: line.request.json })
    code = await run(line.request, boundary, reporter)
  } catch (error) {
    reporter.error(error)
    code = exitCodeOfError(error)
  }
  reporter.ended(code)
  return code
}
