/** The profiler of job manager and task manager: there is none, so its list is empty and a profile is refused. */
import { handlerRefusal, unknownFile } from '../refusals.ts'
import { ok, type RestRequest, type Route } from '../route.ts'

const MODES = ['CPU', 'WALL', 'LOCK', 'ITIMER', 'ALLOC']

export const profilerRoutes: readonly Route[] = ['/jobmanager', '/taskmanagers/:taskmanagerid'].flatMap(
  (owner): readonly Route[] => [
    { method: 'GET', path: `${owner}/profiler`, handle: () => ok({ profilingList: [] }) },
    { method: 'POST', path: `${owner}/profiler`, handle: refuseToProfile },
    {
      method: 'GET',
      path: `${owner}/profiler/:filename`,
      handle({ path }) {
        throw unknownFile(path)
      },
    },
  ],
)

function refuseToProfile({ body }: RestRequest): never {
  const mode = typeof body === 'object' && body !== null && 'mode' in body ? body.mode : undefined
  if (typeof mode !== 'string' || !MODES.includes(mode))
    throw handlerRefusal(400, 'Request did not match expected format ProfilingRequestBody.')
  throw handlerRefusal(501, 'This server takes no profiles. Start node with --cpu-prof, or attach a debugger.')
}
