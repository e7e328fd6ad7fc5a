/** The ids under which state is found again: pure functions of the uid, or of the place in the topology. */
import { createHash } from 'node:crypto'

/** 32 hexadecimal digits: the first half of SHA-256. */
export function operatorIdOfUid(uid: string): string {
  return digest(`uid ${uid}`)
}

/** One way into an operator, as far as its id is concerned. */
export interface Feed {
  readonly input: number
  readonly operatorId: string
  readonly sideOutput: string | undefined
}

/**
 * Names operators without a uid by what feeds them: the ids upstream, and the how-manieth consumer of exactly these
 * feeds it is, in order of declaration. So a branch added behind the existing ones, or elsewhere, moves no id.
 */
export class TopologyIds {
  readonly #consumers = new Map<string, number>()

  /** Called for every operator in order of declaration, with a uid or not: whoever has one still takes a place. */
  next(feeds: readonly Feed[]): string {
    const place = JSON.stringify(
      feeds.map(({ input, operatorId, sideOutput }) => [input, operatorId, sideOutput ?? null]),
    )
    const rank = this.#consumers.get(place) ?? 0
    this.#consumers.set(place, rank + 1)
    return digest(`place ${rank} of ${place}`)
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex').slice(0, 32)
}
