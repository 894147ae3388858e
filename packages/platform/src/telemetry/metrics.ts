/** Metrics of one service: its own registry, so that two services in one process do not mix theirs. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export type { Counter, Gauge, Histogram } from 'prom-client'

export interface MetricNaming<L extends string> {
  /** As Prometheus wants it: `pacifica_events_accepted_total`, `pacifica_http_request_seconds`. */
  readonly name: string
  readonly help: string
  readonly labels?: readonly L[]
}

export interface Metrics {
  counter<L extends string = never>(naming: MetricNaming<L>): Counter<L>
  /** `collect` is called when somebody reads the metrics; it sets the gauge. */
  gauge<L extends string = never>(
    naming: MetricNaming<L> & { readonly collect?: (gauge: Gauge<L>) => void | Promise<void> },
  ): Gauge<L>
  /** `buckets` are upper bounds, in seconds or bytes: base units. */
  histogram<L extends string = never>(
    naming: MetricNaming<L> & { readonly buckets: readonly number[] },
  ): Histogram<L>
  /** All of them in Prometheus' text format, and the media type of that. */
  text(): Promise<string>
  readonly contentType: string
}

/** `processMetrics: 'on'` adds CPU, memory, event loop and garbage collection: for one registry per process. */
export function createMetrics(options: { processMetrics?: 'on' | 'off' } = {}): Metrics {
  const registry = new Registry()
  const registers = [registry]
  if (options.processMetrics === 'on') collectDefaultMetrics({ register: registry })
  return {
    counter: ({ name, help, labels = [] }) =>
      new Counter({ name, help, labelNames: [...labels], registers }),
    gauge: ({ name, help, labels = [], collect }) => {
      const config = { name, help, labelNames: [...labels], registers }
      const gauge: Gauge<never> = new Gauge(
        collect === undefined ? config : { ...config, collect: () => collect(gauge) },
      )
      return gauge
    },
    histogram: ({ name, help, labels = [], buckets }) =>
      new Histogram({ name, help, labelNames: [...labels], buckets: [...buckets], registers }),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}
