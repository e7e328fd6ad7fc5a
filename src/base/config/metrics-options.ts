/** Options of the metrics that a Prometheus server fetches; keys and meaning are those of Flink's reporter named `prom`. */
import type { OptionDefinition } from './option-definition.ts'

export const METRICS_OPTIONS = {
  'metrics.reporter.prom.factory.class': {
    area: 'rest',
    type: 'text',
    default: undefined,
    pattern: /^org\.apache\.flink\.metrics\.prometheus\.PrometheusReporterFactory$/,
    legal: 'org.apache.flink.metrics.prometheus.PrometheusReporterFactory',
    description:
      'Set: metrics are also served on a port of their own, 9249 unless `metrics.reporter.prom.port` says otherwise. The name of the class is the one that Flink knows.',
  },
  'metrics.reporter.prom.port': {
    area: 'rest',
    type: 'text',
    default: undefined,
    pattern: /^\d{1,5}(-\d{1,5})?$/,
    legal: 'a port or a range of ports such as 9250-9260',
    description:
      'Port, or range of ports of which the first free one is taken, on which a server that serves the REST interface also serves metrics as Prometheus text. It listens on the address of the REST interface. Not set: only `/metrics/prometheus` of the REST interface has them.',
  },
  'metrics.reporter.prom.filterLabelValueCharacters': {
    area: 'rest',
    type: 'boolean',
    default: true,
    description:
      'Whether every character of a label’s value that is no letter, digit, colon or underscore becomes an underscore.',
  },
} as const satisfies Record<string, OptionDefinition>
