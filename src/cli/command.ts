/** The command from its arguments to its exit code. Whatever goes wrong is shown as an error, never as a bare stack trace. */
import { parseCommandLine } from './command-line.ts'
import { exitCodeOfError, FAILED, SUCCESS } from './exit-code.ts'
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
    if (line.type === 'refused') {
      boundary.out.write(line.text)
      return FAILED
    }
    if (line.type === 'rest') {
      const { restCommand } = await import('./rest-command.ts')
      return await restCommand(line.request, boundary)
    }
    if (line.type === 'inspect') {
      const { inspect } = await import('./inspect.ts')
      return await inspect(line.request, boundary)
    }
    if (line.type === 'plan') {
      // What it takes to compare is loaded for a plan alone.
      const { plan } = await import('./plan.ts')
      reporter = makeReporter(boundary, { json: false })
      code = await plan(line.request, boundary, reporter)
    } else {
      reporter = makeReporter(boundary, { json: line.request.json })
      code = await run(line.request, boundary, reporter)
    }
  } catch (error) {
    reporter.error(error)
    code = exitCodeOfError(error)
  }
  reporter.ended(code)
  return code
}
