/** Before each file of tests that shares its worker with others: what an earlier one may have left to all is taken back. */
import { offerRunContext } from '../src/base/run-context.ts'

offerRunContext(undefined)
