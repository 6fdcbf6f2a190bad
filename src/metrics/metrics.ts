/**
 * The metrics of a process, for Prometheus. The program counts in plain numbers where things happen. This
 * file reads the numbers only when metrics are requested, and only then loads prom-client: most short-lived
 * processes are never asked, and loading it takes a tenth of the CPU that the start of a node takes.
 * docs/observability.md documents every metric, and a test compares the two.
 */
import type { BucketCounts } from './bucket-counts.ts'
import type { PrometheusRegistry } from './prometheus.ts'

export type Labels = Readonly<Record<string, string | number>>

/** A value with its labels. */
export type Sample = Readonly<{ value: number; labels?: Labels }>
export type HistogramSample = Readonly<{ counts: BucketCounts; labels?: Labels }>

export type MetricInfo = Readonly<{ name: string; help: string; labels?: readonly string[] }>

export class Metrics {
  /** The content type of the text format of Prometheus. */
  readonly contentType = 'text/plain; version=0.0.4; charset=utf-8'
  /** The metrics that were added, in that order. */
  readonly described: { name: string; type: 'counter' | 'gauge' | 'histogram'; labels: readonly string[] }[] =
    []
  /** Adds the metrics to a registry. */
  readonly #additions: ((registry: PrometheusRegistry) => void)[] = []
  #registry: Promise<PrometheusRegistry> | undefined

  /** The values of `read` must never go down while the process lives. Add all before the first `render`. */
  counter(info: MetricInfo, read: () => readonly Sample[]): void {
    this.#add('counter', info, (registry) => registry.counter(info, read))
  }

  gauge(info: MetricInfo, read: () => readonly Sample[] | Promise<readonly Sample[]>): void {
    this.#add('gauge', info, (registry) => registry.gauge(info, read))
  }

  histogram(info: MetricInfo, read: () => readonly HistogramSample[]): void {
    this.#add('histogram', info, (registry) => registry.histogram(info, read))
  }

  /** All metrics as text, in the format of Prometheus. */
  async render(): Promise<string> {
    this.#registry ??= this.#load()
    return (await this.#registry).render()
  }

  #add(
    type: 'counter' | 'gauge' | 'histogram',
    { name, labels = [] }: MetricInfo,
    addition: (registry: PrometheusRegistry) => void,
  ): void {
    if (this.described.some((other) => other.name === name)) throw new Error(`two metrics are called ${name}`)
    this.described.push({ name, type, labels })
    this.#additions.push(addition)
  }

  async #load(): Promise<PrometheusRegistry> {
    const { PrometheusRegistry: OfPromClient } = await import('./prometheus.ts')
    const registry = new OfPromClient()
    for (const addTo of this.#additions) addTo(registry)
    return registry
  }
}
