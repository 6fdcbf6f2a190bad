/**
 * The metrics of a process, for Prometheus. The program counts in plain numbers where things happen. This
 * file reads the numbers only when metrics are requested. docs/observability.md documents every metric, and a
 * test compares the two.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { BucketCounts } from './bucket-counts.ts'

export type Labels = Readonly<Record<string, string | number>>

/** A value with its labels. */
export type Sample = Readonly<{ value: number; labels?: Labels }>
export type HistogramSample = Readonly<{ counts: BucketCounts; labels?: Labels }>

export type MetricInfo = Readonly<{ name: string; help: string; labels?: readonly string[] }>

export class Metrics {
  readonly #registry = new Registry()
  #hasDefaults = false
  /** The metrics that were added, in that order. */
  readonly described: { name: string; type: 'counter' | 'gauge' | 'histogram'; labels: readonly string[] }[] =
    []

  get contentType(): string {
    return this.#registry.contentType
  }

  /** The values of `read` must never go down while the process lives. */
  counter(info: MetricInfo, read: () => readonly Sample[]): void {
    new Counter({
      ...this.#configOf(info, 'counter'),
      collect() {
        this.reset()
        for (const { labels = {}, value } of read()) this.inc(labels, value)
      },
    })
  }

  gauge(info: MetricInfo, read: () => readonly Sample[] | Promise<readonly Sample[]>): void {
    new Gauge({
      ...this.#configOf(info, 'gauge'),
      async collect() {
        this.reset()
        for (const { labels = {}, value } of await read()) this.set(labels, value)
      },
    })
  }

  histogram(info: MetricInfo, read: () => readonly HistogramSample[]): void {
    new ReadHistogram(this.#configOf(info, 'histogram'), read)
  }

  /** All metrics as text, in the format of Prometheus. */
  render(): Promise<string> {
    // The default metrics (garbage collection, delay of the event loop) cost CPU, so they are collected only
    // after the first request for metrics.
    if (!this.#hasDefaults) collectDefaultMetrics({ register: this.#registry })
    this.#hasDefaults = true
    return this.#registry.metrics()
  }

  #configOf({ name, help, labels = [] }: MetricInfo, type: 'counter' | 'gauge' | 'histogram') {
    this.described.push({ name, type, labels })
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
