import type { IncomingMessage } from 'node:http'
import type { Logger } from 'pino'
import type { Metrics } from '../../metrics/metrics.ts'
import type { Clock } from '../../process/clock.ts'
import { ConnectionLimit } from '../../process/connection-limit.ts'
import { RateLimiter } from '../rate-limit/rate-limiter.ts'
import { LIMITED_COSTS, type LimitedCost } from './cost.ts'
import type { FairRoom } from './fair-room.ts'
import { LargeBodies } from './large-bodies.ts'
import { PipelineLimit } from './pipeline-limit.ts'
import { RefusalLog } from './refusal-log.ts'
import { RequestGate } from './request-gate.ts'
import { SlowDown } from './slow-down.ts'
import { UnreadAnswers } from './unread-answers.ts'

export type AdmissionOptions = Readonly<{
  /** The longest time that an operation takes. */
  timeoutMs: number
  /** How many connections are open at most. Default: `CONNECTIONS_MAX`. */
  maxConnections?: number
  /** How many requests each caller may send in a second. `undefined`: any number. */
  ratePerSecond?: number | undefined
  /** The room for what connections send ahead. Default: that of `LargeBodies`. */
  sentAhead?: FairRoom
  clock: Pick<Clock, 'nowMs' | 'after'>
  logger: Logger
}>

/** The default of the most connections that are open. Each takes about 10 KB. */
export const CONNECTIONS_MAX = 16_384

/** Decides which requests a connector works on, which wait, and which are refused. */
export class Admission {
  readonly bodies = new LargeBodies()
  readonly answers = new UnreadAnswers()
  readonly #slowDown: SlowDown
  readonly connections: ConnectionLimit
  readonly pipelines: PipelineLimit
  /** `undefined`: rates are not limited. */
  readonly rateLimiter: RateLimiter | undefined
  readonly #log: RefusalLog
  readonly #gates: ReadonlyMap<LimitedCost, RequestGate>

  #rateLimitedCount = 0

  constructor({ timeoutMs, maxConnections, ratePerSecond, sentAhead, clock, logger }: AdmissionOptions) {
    const log = new RefusalLog(logger, clock)
    this.connections = new ConnectionLimit(maxConnections ?? CONNECTIONS_MAX, ({ openCount }) =>
      log.refused('connections', () => ({ connections: openCount })),
    )
    if (ratePerSecond !== undefined) {
      this.rateLimiter = new RateLimiter({ perSecond: ratePerSecond, nowMs: () => clock.nowMs() })
    }
    this.pipelines = new PipelineLimit(sentAhead)
    const slowDown = new SlowDown(clock, this.pipelines)
    const onRefused = (gate: RequestGate, request: IncomingMessage) => {
      log.refused(gate.cost, () => this.#figuresOf(gate))
      slowDown.refused(request)
    }
    this.#slowDown = slowDown
    this.#log = log
    this.#gates = new Map(
      LIMITED_COSTS.map((cost) => [cost, new RequestGate({ cost, timeoutMs, clock, onRefused })]),
    )
  }

  gateOf(cost: LimitedCost): RequestGate {
    return this.#gates.get(cost)!
  }

  /** Counts a request that was refused because its caller has sent too many. */
  rateLimited(caller: string, request: IncomingMessage): void {
    this.#rateLimitedCount += 1
    this.#slowDown.refused(request)
    this.#log.refused('of a caller above RATE_LIMIT', () => ({ caller }))
  }

  /** Refuses all that wait, and sets no further timer. */
  close(): void {
    for (const gate of this.#gates.values()) gate.close()
    this.#slowDown.close()
    this.#log.close()
  }

  /** Adds the metrics of admission. Their names begin with `cohort_http_`. */
  addMetrics(metrics: Metrics): void {
    const gates = [...this.#gates.values()]
    const labels = ['cost']
    const samples = (pick: (gate: RequestGate) => number) => () =>
      gates.map((gate) => ({ value: pick(gate), labels: { cost: gate.cost } }))
    metrics.counter(
      { name: 'cohort_http_refused_total', help: 'Requests refused with 503 overloaded, by cost.', labels },
      samples(({ refusedCount }) => refusedCount),
    )
    metrics.gauge(
      { name: 'cohort_http_running', help: 'Requests that are worked on, by cost.', labels },
      samples(({ running }) => running),
    )
    metrics.gauge(
      { name: 'cohort_http_waiting', help: 'Requests that wait for their turn, by cost.', labels },
      samples(({ waiting }) => waiting),
    )
    metrics.histogram(
      {
        name: 'cohort_http_wait_seconds',
        help: 'How long requests waited for their turn, by cost. A request that did not wait is not counted.',
        labels,
      },
      () => gates.map(({ cost, waitedSeconds }) => ({ counts: waitedSeconds, labels: { cost } })),
    )
    metrics.counter(
      { name: 'cohort_http_rate_limited_total', help: 'Requests refused with 429 rate_limited.' },
      () => [{ value: this.#rateLimitedCount }],
    )
    metrics.gauge(
      { name: 'cohort_http_connections_slowed', help: 'Connections not read for a while after a refusal.' },
      () => [{ value: this.#slowDown.count }],
    )
    metrics.gauge({ name: 'cohort_http_connections', help: 'Open connections.' }, () => [
      { value: this.connections.count },
    ])
    metrics.counter(
      {
        name: 'cohort_http_connections_refused_total',
        help: 'Connections closed because there are too many.',
      },
      () => [{ value: this.connections.refusedCount }],
    )
    metrics.gauge(
      { name: 'cohort_http_body_bytes', help: 'Bytes of large bodies that arrive or wait.' },
      () => [{ value: this.bodies.bytes }],
    )
    metrics.gauge(
      {
        name: 'cohort_http_sent_ahead_bytes',
        help: 'Bytes of requests that wait for earlier ones of a connection.',
      },
      () => [{ value: this.pipelines.bytes }],
    )
    metrics.counter(
      {
        name: 'cohort_http_sent_ahead_cut_total',
        help: 'Connections closed because there was no room for what they had sent ahead.',
      },
      () => [{ value: this.pipelines.cutCount }],
    )
    metrics.counter(
      {
        name: 'cohort_http_unread_answers_cut_total',
        help: 'Connections closed because their clients did not read large answers.',
      },
      () => [{ value: this.answers.cutCount }],
    )
  }

  #figuresOf({ running, waiting }: RequestGate): object {
    return { running, waiting, bodyBytes: this.bodies.bytes }
  }
}
