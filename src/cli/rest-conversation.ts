/** What the commands that speak to a REST interface share: the server, their output, and how they fail. */
import type { RestClient } from './rest-client.ts'

/** What a command is given: the server, and where its lines go. */
export interface RestConversation {
  readonly client: RestClient
  /** One line on standard output. What would move the cursor is escaped: names and paths come from the server. */
  print(line: string): void
}

/** What a command failed at, in Flink's words; `cause` is why. */
export class CommandFailure extends Error {}

/** Flink's sentence about the command, around whatever `work` rejects with. */
export async function failingAs<T>(sentence: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    throw new CommandFailure(sentence, { cause })
  }
}
