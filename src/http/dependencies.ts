import type { Logger } from 'pino'
import type { Authenticator } from '../access/authenticator.ts'
import type { Engine } from '../engines/engine.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Admission } from './admission/admission.ts'
import type { AuditOutput } from './audit/audit-requests.ts'
import type { RequestCounts } from './count-requests.ts'
import type { ApiCertificates } from './https.ts'

/** What the public API needs from its surroundings. */
export type Dependencies = Readonly<{
  /** What keeps the groups. */
  engine: Engine
  /** Finds out who sends a request. `undefined`: the connector is open to everyone who reaches it. */
  authenticator?: Authenticator | undefined
  /** For HTTPS. `undefined`: the API speaks HTTP. */
  certificates?: ApiCertificates | undefined
  metrics: Metrics
  requestCounts: RequestCounts
  /** Decides which requests are worked on, wait or are refused. The app closes it. */
  admission: Admission
  /** Where the audit log is written. `undefined`: there is none. */
  audit?: AuditOutput | undefined
  /**
   * Whether the connector is open because only programs of this machine reach it: then requests must name
   * this machine. Default: false.
   */
  isLocalOnly?: boolean
  /** The origins whose pages may use this API from a browser; `*`: all. Default: none. */
  corsOrigins?: readonly string[]
  /** Milliseconds since some moment; never goes back. */
  nowMs: () => number
  clock: { now(): Date }
  /** Makes the incarnation of a new group. No two are equal. It has only characters that an ETag may have. */
  newIncarnation: () => string
  logger: Logger
  /** The value of `Retry-After` when too few nodes answer. */
  retryAfterSeconds: number
  /** How long a request may take to arrive whole, in milliseconds. Default 30,000. */
  requestTimeoutMs?: number
  /** How long new connections are still accepted after a close began, in milliseconds. Default 500. */
  drainGraceMs?: number
  /** How long a close may take before it closes the connections that are still open, in milliseconds. */
  drainTimeoutMs: number
}>
