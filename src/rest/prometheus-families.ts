/**
 * Families of samples that are written by prom-client. Each is handed in once and written once, so that the client's own
 * bookkeeping of label sets is passed by: it would cost many times what the writing costs.
 */
import { Gauge, Registry } from 'prom-client'

/** One object for all metrics of a bearer: the client writes it once and remembers the text by the object. */
export type Labels = Readonly<Record<string, string>>

class Family extends Gauge {
  readonly #samples: { readonly value: number; readonly labels: object; readonly sharedLabels: Labels }[] = []

  constructor(name: string, help: string) {
    super({ name, help, registers: [] })
  }

  add(labels: Labels, value: number): void {
    this.#samples.push({ value, labels: {}, sharedLabels: labels })
  }

  override async get(): ReturnType<Gauge['get']> {
    return { ...(await super.get()), values: this.#samples }
  }
}

export class PrometheusFamilies {
  readonly #families = new Map<string, Family>()

  /** No two samples of one name have the same labels. */
  add(name: string, help: string, labels: Labels, value: number): void {
    let family = this.#families.get(name)
    if (family === undefined) {
      family = new Family(name, help)
      this.#families.set(name, family)
    }
    family.add(labels, value)
  }

  async text(): Promise<{ readonly text: string; readonly contentType: string }> {
    const registry = new Registry()
    for (const family of this.#families.values()) registry.registerMetric(family)
    return { text: await registry.metrics(), contentType: registry.contentType }
  }
}
