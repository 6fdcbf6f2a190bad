/** Metrics as prom-client knows them. Only `metrics.ts` loads this file, at the first request for metrics. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { HistogramSample, MetricInfo, Sample } from './metrics.ts'

export class PrometheusRegistry {
  readonly #registry = new Registry()

  constructor() {
    // The default metrics (garbage collection, delay of the event loop) cost CPU from here on.
    collectDefaultMetrics({ register: this.#registry })
  }

  counter(info: MetricInfo, read: () => readonly Sample[]): void {
    new Counter({
      ...this.#configOf(info),
      collect() {
        this.reset()
        for (const { labels = {}, value } of read()) this.inc(labels, value)
      },
    })
  }

  gauge(info: MetricInfo, read: () => readonly Sample[] | Promise<readonly Sample[]>): void {
    new Gauge({
      ...this.#configOf(info),
      async collect() {
        this.reset()
        for (const { labels = {}, value } of await read()) this.set(labels, value)
      },
    })
  }

  histogram(info: MetricInfo, read: () => readonly HistogramSample[]): void {
    new ReadHistogram(this.#configOf(info), read)
  }

  /** All metrics as text. */
  render(): Promise<string> {
    return this.#registry.metrics()
  }

  #configOf({ name, help, labels = [] }: MetricInfo) {
    return { name, help, labelNames: [...labels], registers: [this.#registry] }
  }
}

/** A histogram for prom-client whose observations are already counted. */
class ReadHistogram extends Histogram {
  readonly #info: Readonly<{ name: string; help: string }>
  readonly #read: () => readonly HistogramSample[]

  constructor(config: ConstructorParameters<typeof Histogram>[0], read: () => readonly HistogramSample[]) {
    super(config)
    this.#info = config
    this.#read = read
  }

  override async get() {
    const { name, help } = this.#info
    const values = this.#read().flatMap((sample) => bucketValues(name, sample))
    return { name, help, type: 'histogram', values, aggregator: 'sum' } as unknown as Awaited<
      ReturnType<Histogram['get']>
    >
  }

  /** The registry calls this, if it exists, in place of `get`. */
  getForPromString() {
    return this.get()
  }
}

/** In Prometheus, a bucket counts all observations up to its bound. */
function bucketValues(name: string, { counts: { bounds, counts, sum }, labels = {} }: HistogramSample) {
  let total = 0
  const buckets = counts.map((count, index) => {
    total += count
    const le = bounds[index] ?? '+Inf'
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: total }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: total },
  ]
}
