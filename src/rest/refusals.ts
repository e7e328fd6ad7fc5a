/** Refusals in Flink's words: its clients print the text as it is, so each is the first line of what Flink answers, without frames. */
import { RestFailure } from './route.ts'

const HANDLER_EXCEPTION = 'org.apache.flink.runtime.rest.handler.RestHandlerException'
const NOT_FOUND_EXCEPTION = 'org.apache.flink.runtime.rest.NotFoundException'
/** Longer input is not sent back whole. */
const MOST_ECHOED = 500

/** For a handler that throws `exceptionClass` in Flink. */
export function refusal(status: number, exceptionClass: string, message: string): RestFailure {
  return new RestFailure(status, `${exceptionClass}: ${message}`)
}

/** What most handlers of Flink throw. */
export function handlerRefusal(status: number, message: string): RestFailure {
  return refusal(status, HANDLER_EXCEPTION, message)
}

/** 404 for a thing with an id: a job, a vertex. */
export function notFound(message: string): RestFailure {
  return refusal(404, NOT_FOUND_EXCEPTION, message)
}

/** 500 where Flink's dispatcher throws and no handler catches it. */
export function serverRefusal(exceptionClass: string, message: string): RestFailure {
  const report = `<Exception on server side:\n${exceptionClass}: ${message}\n\nEnd of exception on server side>`
  return new RestFailure(500, 'Internal server error.', report)
}

/** 500 for an unknown job, where Flink asks its dispatcher without having looked. */
export function unknownToDispatcher(jobId: string): RestFailure {
  return serverRefusal(JOB_NOT_FOUND, jobNotFoundMessage(jobId))
}

/** What Flink's dispatcher throws for an unknown job, and what it says then. */
export const JOB_NOT_FOUND = 'org.apache.flink.runtime.messages.FlinkJobNotFoundException'
export const jobNotFoundMessage = (jobId: string): string => `Could not find Flink job (${jobId})`

/** The same for an unknown application. */
export const APPLICATION_NOT_FOUND = 'org.apache.flink.runtime.messages.FlinkApplicationNotFoundException'
export const applicationNotFoundMessage = (id: string): string => `Could not find Flink application (${id})`

/** 404 for a GET that nobody answers. */
export function unknownFile(path: string): RestFailure {
  return new RestFailure(404, `Unable to load requested file ${echoed(path)}.`)
}

/** 400 for a parameter of the path or the query that cannot be read. */
export function unreadable(where: 'path' | 'query', name: string, value: string): RestFailure {
  const what = `Cannot resolve ${where} parameter (${name}) from value "${echoed(value)}".`
  return handlerRefusal(400, `Bad request, could not parse parameters: ${what}`)
}

export function echoed(value: string): string {
  return value.length > MOST_ECHOED ? `${value.slice(0, MOST_ECHOED)}…` : value
}
