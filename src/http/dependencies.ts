import type { Logger } from 'pino'
import type { Registry } from '../group/registry.ts'
import type { MemberChanges } from '../membership/change-members.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { ClusterView } from './cluster-view.ts'
import type { RequestCounts } from './count-requests.ts'
import type { StatusView } from './status-view.ts'

/** What the HTTP layer is given. */
export type Dependencies = Readonly<{
  registry: Registry
  cluster: ClusterView
  status: StatusView
  members: MemberChanges
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
  /** How long a close waits for keep-alive connections, in milliseconds. Default 500. */
  drainGraceMs?: number
}>
