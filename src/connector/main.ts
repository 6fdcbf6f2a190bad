/** The process of a connector. Only this file connects an engine with the public API. */
import type { Logger } from 'pino'
import { isLocalOnly } from '../config/access-settings.ts'
import type { PostgresSettings } from '../config/postgres-settings.ts'
import type { ConnectorSettings } from '../config/settings.ts'
import { CohortEngine } from '../engines/cohort/cohort-engine.ts'
import type { PostgresEngine } from '../engines/postgres/postgres-engine.ts'
import { Admission } from '../http/admission/admission.ts'
import { buildApp } from '../http/app.ts'
import { RequestCounts } from '../http/count-requests.ts'
import { addRequestMetrics } from '../http/request-metrics.ts'
import { addLogMetrics } from '../metrics/log-metrics.ts'
import { Metrics } from '../metrics/metrics.ts'
import { systemClock } from '../process/clock.ts'
import { type HostProcess, WHOLE_PROCESS } from '../process/host-process.ts'
import { incarnations } from '../process/incarnations.ts'
import { listenHttp } from '../process/listen-http.ts'
import { VERSION } from '../process/version.ts'
import { keepGarbageYoung } from '../process/young-garbage.ts'
import { reportMalformedAnswers } from '../replication/malformed-answers.ts'
import { connectGrpc } from '../rpc/grpc-transport.ts'
import { addCertificateMetrics } from '../tls/certificate-metrics.ts'
import { openNodeTls } from '../tls/node-files.ts'
import { TlsFiles } from '../tls/tls-files.ts'
import { openAuthentication } from './authentication.ts'
import { CertificateNotices } from './certificate-notices.ts'
import { securityOf } from './node-security.ts'
import { openAudit } from './open-audit.ts'

const now = () => new Date()

/**
 * Serves the public API until SIGTERM or SIGINT. Then it answers the requests that it has accepted, and
 * resolves. A second signal ends the process at once.
 *
 * @throws {FaultError} when it cannot listen, or when only a person can mend its database
 */
export async function runConnector(
  settings: ConnectorSettings,
  hostProcess: HostProcess = WHOLE_PROCESS,
): Promise<void> {
  keepGarbageYoung()
  const { host, port, hosts, timeoutMs } = settings
  const log = hostProcess.openLog({ name: 'connector', level: settings.logLevel })
  const { logger } = log
  const stopped = hostProcess.stopSignal()
  const surroundings = { clock: systemClock, now, logger }
  const nodeTls = settings.nodeTls && openNodeTls(settings.nodeTls, 'connector', surroundings)
  const apiTls = settings.apiTls && new TlsFiles({ ...surroundings, paths: settings.apiTls, name: 'api' })
  const tlsFiles = [nodeTls, apiTls].filter((files) => files !== undefined)
  const notices = new CertificateNotices(tlsFiles, now)
  const security = nodeTls && securityOf(nodeTls, logger, notices)
  const engine = settings.postgres
    ? await openPostgres(settings.postgres, settings, { logger, notices })
    : newCohortEngine(settings, { logger, notices, security })
  const authentication = await openAuthentication(settings.access, {
    host,
    keys: engine.keys,
    clock: systemClock,
    wallClockMs: Date.now,
    logger,
  })
  const metrics = new Metrics()
  const requestCounts = new RequestCounts()
  addRequestMetrics(metrics, requestCounts)
  const { maxConnections, ratePerSecond, corsOrigins, auditLog } = settings.limits
  const audit = openAudit(auditLog, { logger, metrics, now })
  const admission = new Admission({ timeoutMs, maxConnections, ratePerSecond, clock: systemClock, logger })
  admission.addMetrics(metrics)
  addLogMetrics(metrics, log)
  engine.addMetrics(metrics)
  addCertificateMetrics(metrics, tlsFiles)
  const app = buildApp({
    engine,
    authenticator: authentication.authenticator,
    certificates: apiTls,
    metrics,
    requestCounts,
    admission,
    audit: audit.log,
    corsOrigins,
    isLocalOnly: isLocalOnly(settings),
    nowMs: () => systemClock.nowMs(),
    clock: { now },
    newIncarnation: incarnations(),
    retryAfterSeconds: 1,
    drainTimeoutMs: settings.drainTimeoutMs,
    logger,
  })
  if (engine instanceof CohortEngine) nodeTls?.onChange(renewer(engine, logger))
  await app.ready()
  const listening = await listenHttp(app.server, { host, port })
  const running = Promise.all([engine.run(), authentication.run()])
  logger.info({ host, ...listening, hosts, version: VERSION }, 'connector is listening')
  logger.info({ signal: await stopped }, 'connector is stopping')
  await app.close()
  authentication.close()
  engine.close()
  await running
  nodeTls?.close()
  apiTls?.close()
  audit.close()
  logger.info('connector has stopped')
}

type CohortParts = Readonly<{
  logger: Logger
  notices: CertificateNotices
  security: ReturnType<typeof securityOf> | undefined
}>

function newCohortEngine(
  settings: ConnectorSettings,
  { logger, notices, security }: CohortParts,
): CohortEngine {
  const { hosts, timeoutMs, tombstoneGraceMs, replaceAfterMs, clusterId } = settings
  const onMalformed = reportMalformedAnswers(logger, systemClock)
  return new CohortEngine({
    hosts,
    timeoutMs,
    tombstoneGraceMs,
    replaceAfterMs,
    clusterId,
    connect: (address) => connectGrpc(address, { onMalformed, ...security }),
    clock: systemClock,
    random: Math.random,
    notices: (addresses) => notices.of(addresses),
    logger,
  })
}

/** Its code is loaded only here: connectors with nodes do not need it. */
async function openPostgres(
  postgres: PostgresSettings,
  { timeoutMs, clusterId }: ConnectorSettings,
  { logger, notices }: Omit<CohortParts, 'security'>,
): Promise<PostgresEngine> {
  const { PostgresEngine: OnPostgres } = await import('../engines/postgres/postgres-engine.ts')
  const engine = new OnPostgres({
    ...postgres,
    clusterId,
    timeoutMs,
    clock: systemClock,
    notices: () => notices.of([]),
    logger,
  })
  await engine.start()
  return engine
}

/**
 * Replaces the connections to nodes after each change of the files. While that is under way, another change
 * waits for its end.
 */
function renewer(engine: CohortEngine, logger: Pick<Logger, 'info'>): () => void {
  let last: Promise<void> = Promise.resolve()
  return () => {
    last = last.then(async () => {
      await engine.renewConnections()
      logger.info('the connections to all nodes were replaced')
    })
  }
}
