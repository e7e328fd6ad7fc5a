/**
 * The door `millrace/rest`: Flink's REST API for the jobs of a program. Importing it does nothing.
 *
 * @module millrace/rest
 */
/// <reference types="node" preserve="true" />

export { type RestServer, restServer } from './rest-server.ts'
export type { RestServerOptions } from './rest-server-options.ts'
