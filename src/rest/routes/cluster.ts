/** What the dashboard asks for first: how it has to behave, and how many jobs of each kind there are. */
import { isOver } from '../../api/ended-job.ts'
import { VERSION } from '../../base/version.ts'
import { ok, type Route } from '../route.ts'
import { taskSlots } from '../task-slots.ts'

/** Of the API that is spoken. The dashboard of 2.3 and later asks for `/applications`. */
const API_VERSION = '2.3.0'
const COMMIT = `millrace-${VERSION}`

export const clusterRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/config',
    handle: (_, { settings, ports }) =>
      ok({
        'refresh-interval': settings.refreshIntervalMs,
        ...timeZone(ports.clock.now()),
        'flink-version': API_VERSION,
        'flink-revision': COMMIT,
        features: {
          'web-submit': false,
          'web-cancel': settings.cancelEnabled,
          'web-rescale': false,
          'web-history': false,
        },
      }),
  },
  {
    method: 'GET',
    path: '/overview',
    handle(_, { jobs }) {
      const all = jobs.all()
      const slots = taskSlots(all)
      const withStatus = (wanted: string) => all.filter((job) => job.status() === wanted).length
      return ok({
        taskmanagers: 1,
        'slots-total': slots.total,
        'slots-available': slots.free,
        'jobs-running': all.filter((job) => !isOver(job.status())).length,
        'jobs-finished': withStatus('FINISHED'),
        'jobs-cancelled': withStatus('CANCELED'),
        'jobs-failed': withStatus('FAILED'),
        'flink-version': API_VERSION,
        'flink-commit': COMMIT,
      })
    },
  },
]

/** Made once: making it costs more than all else that a request does. */
let zoneFormat: Intl.DateTimeFormat | undefined

function timeZone(nowMs: number) {
  zoneFormat ??= new Intl.DateTimeFormat('en', { timeZoneName: 'long' })
  const parts = zoneFormat.formatToParts(nowMs)
  return {
    'timezone-name': parts.find(({ type }) => type === 'timeZoneName')?.value ?? 'Coordinated Universal Time',
    'timezone-offset': -60_000 * new Date(nowMs).getTimezoneOffset(),
  }
}
