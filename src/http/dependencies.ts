import type { Logger } from 'pino'
import type { Engine } from '../engines/engine.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { RequestCounts } from './count-requests.ts'

/** What the public API is made with. */
export type Dependencies = Readonly<{
  /** What keeps the groups. */
  engine: Engine
  metrics: Metrics
  requestCounts: RequestCounts
  /** Milliseconds since some moment; never goes back. */
  nowMs: () => number
  clock: { now(): Date }
  /** Draws the incarnation of a new group: never the same twice, of characters that an ETag may have. */
  newIncarnation: () => string
  logger: Logger
  /** What `Retry-After` says when too few nodes answer. */
  retryAfterSeconds: number
  /** How long new connections are still taken when the API is closed, in milliseconds. Default 500. */
  drainGraceMs?: number
  /** How long a close may take before it closes what is still open, in milliseconds. */
  drainTimeoutMs: number
}>
