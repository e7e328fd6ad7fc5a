/** A job whose names mean something elsewhere, and a client that asks for all that can be got of it. */
import {
  DiscardingSink,
  defineSource,
  type StreamExecutionEnvironment,
  WatermarkStrategy,
} from '../../../../src/index.ts'
import { ALL_ROUTES } from '../../../../src/rest/all-routes.ts'
import type { RestServer } from '../../../../src/rest/index.ts'
import type { MiniCluster } from '../../../../src/testing/index.ts'

/** HTML, ends of lines, a command of a terminal, a line separator, a mark that turns lines round, quotes, braces. */
export const EVIL = `<img src=x onerror=alert(1)>\r\n\u001b[2J\u2028\u202e"'\\{}\0 __proto__`

export interface EvilJob {
  readonly name?: string | undefined
  /** What its second record makes it fail with, each time. */
  readonly failure?: string | undefined
}

/** Declares it; nothing runs yet. Reads two records and waits. */
export function declareEvil(cluster: MiniCluster, env: StreamExecutionEnvironment, job: EvilJob): void {
  const { name = EVIL, failure } = job
  const source = defineSource<number, number>({
    boundedness: 'continuous-unbounded',
    splits: () => ['one'],
    start: () => 0,
    async *read() {
      for (let value = 1; ; value++) {
        yield { value, position: value }
        if (value > 1) await cluster.sleep(1_000)
      }
    },
  })
  env
    .fromSource(source, WatermarkStrategy.noWatermarks(), name)
    .uid('source')
    .keyBy((value) => value % 2)
    .process(() => ({
      processElement(value) {
        if (failure !== undefined && value === 2) throw new Error(failure, { cause: new TypeError(failure) })
      },
    }))
    .name(name)
    .uid('process')
    .sinkTo(new DiscardingSink())
    .name(name)
    .uid('sink')
}

export interface Page {
  readonly path: string
  readonly status: number
  readonly contentType: string
  readonly text: string
}

/** Every GET that there is and that changes nothing: of this job, of each of its vertices and checkpoints, of its task manager. */
export async function crawl(server: RestServer, jobId: string, token?: string): Promise<readonly Page[]> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const read = async (path: string): Promise<Page> => {
    const answer = await fetch(`${server.url}${path}`, { headers })
    const contentType = answer.headers.get('content-type') ?? ''
    return { path, status: answer.status, contentType, text: await answer.text() }
  }
  const values = {
    jobid: [jobId],
    applicationid: [jobId],
    vertexid: JSON.parse((await read(`/jobs/${jobId}`)).text).vertices.map(({ id }: { id: string }) => id),
    taskmanagerid: JSON.parse((await read('/taskmanagers')).text).taskmanagers.map(({ id }: { id: string }) => id),
    filename: ['flink.log'],
    checkpointid: ['1'],
    subtaskindex: ['0'],
    attempt: ['0', '1'],
  }
  const routes = ALL_ROUTES.filter(({ method, mutates }) => method === 'GET' && mutates !== true)
  const pages: Page[] = []
  for (const path of routes.flatMap((route) => filled(route.path, values))) pages.push(await read(path))
  return pages
}

/** The template with each combination of values. */
function filled(template: string, values: Readonly<Record<string, readonly string[]>>): readonly string[] {
  const [whole, name = ''] = /:(\w+)/.exec(template) ?? []
  if (whole === undefined) return [template]
  const known = values[name] ?? ['f'.repeat(32)]
  return known.flatMap((value) => filled(template.replace(whole, value), values))
}
