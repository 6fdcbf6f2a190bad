import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js'
import type { Logger } from 'pino'
import type { NodeSettings } from '../config/settings.ts'
import { addLogMetrics } from '../metrics/log-metrics.ts'
import { Metrics } from '../metrics/metrics.ts'
import { type MetricsServer, serveMetrics } from '../metrics/metrics-server.ts'
import { systemClock } from '../process/clock.ts'
import { ConnectionLimit } from '../process/connection-limit.ts'
import { FaultError } from '../process/fault.ts'
import { type HostProcess, WHOLE_PROCESS } from '../process/host-process.ts'
import type { Log } from '../process/log.ts'
import { RepeatedReports } from '../process/repeated-reports.ts'
import { VERSION } from '../process/version.ts'
import { keepGarbageYoung } from '../process/young-garbage.ts'
import { addCertificateMetrics } from '../tls/certificate-metrics.ts'
import { openNodeTls } from '../tls/node-files.ts'
import type { TlsFiles } from '../tls/tls-files.ts'
import { NodeCounters } from './counters.ts'
import { DamageLog } from './damage-log.ts'
import { Damages } from './damages.ts'
import { NodeHandler } from './handler.ts'
import { addNodeMetrics, type NodeFigures } from './node-metrics.ts'
import { PageScrub } from './page-scrub.ts'
import { Scrub } from './scrub.ts'
import { buildNodeService, type NodeSecurity, type NodeService } from './service.ts'
import { openDataDirectory, STORE_FILE } from './store/data-directory.ts'
import { checkPages } from './store/page-check.ts'
import type { CountUnderWay, SqliteStore } from './store/sqlite-store.ts'

/** How long a node waits for its streams to end before it cuts them. */
const DRAIN_TIMEOUT_MS = 3_000

/**
 * How long the store may write what it has put off. The rest is written after the next start.
 */
const SETTLE_LIMIT_MS = 2_000

/** The time for which a failed node still answers health checks with NOT_SERVING, before it ends. */
const FAILED_LINGER_MS = 200

/** The time between two lines that say how far the upgrade of a database is. */
const UPGRADE_LINE_MS = 2_000

/**
 * A node with more records votes before they are counted. So many are counted in less time than a thread
 * takes to start.
 */
const COUNTED_AT_ONCE_MAX = 50_000

/** How often a node writes what it has put off, and gives back free space. */
const FLUSH_INTERVAL_MS = 100

const now = () => new Date()

/**
 * Runs a node until SIGTERM or SIGINT, then drains it and resolves; a second signal ends the process at once.
 *
 * @throws {FaultError} when it cannot start, or when its store has failed. After a failure of the store the
 *   node has acknowledged nothing more. The process must then end with a code other than 0.
 */
export async function runNode(settings: NodeSettings, host: HostProcess = WHOLE_PROCESS): Promise<void> {
  keepGarbageYoung()
  const { logger: log, droppedCount } = host.openLog({ name: 'node', level: settings.logLevel })
  // gRPC reports the same faults as errors, which are logged as a sentence.
  setLogVerbosity(logVerbosity.NONE)
  const counters = new NodeCounters()
  const damageLog = new DamageLog(log, systemClock)
  const damages: Damages = new Damages((key, reason) => damageLog.found(key, reason, damages))
  const directory = openDataDirectory(settings.dataDir, {
    onCommit: (commitMs) => counters.committed(commitMs),
    onUpgrade: logUpgrade(log),
    onRebuild: () =>
      log.error('the index of keys was damaged and was rebuilt from the records: check the disk'),
    countedAtOnceMax: COUNTED_AT_ONCE_MAX,
  })
  if (!directory.isPrivate) {
    log.warn(
      { dataDir: settings.dataDir },
      'other users of this machine can read the data of this node: close the directory to them',
    )
  }
  let metricsServer: MetricsServer | undefined
  const pages = new PageScrub({
    check: (signal) => checkPages(join(settings.dataDir, STORE_FILE), signal),
    clock: systemClock,
    logger: log,
  })
  let tls: TlsFiles | undefined
  let count: CountUnderWay | undefined
  try {
    refuseOtherCluster(directory.store, settings)
    count = await directory.store.countApart((err) =>
      log.warn({ err }, 'a thread could not count the records, so the node counts them before it goes on'),
    )
    tls = settings.tls && openNodeTls(settings.tls, 'node', { clock: systemClock, now, logger: log })
    const connections = limitConnections(settings, log)
    const figures = { connections, counters, damages, pages, tls }
    metricsServer = await showMetrics(directory.store, settings, { ...figures, droppedCount })
    const metricsPort = metricsServer?.port
    await serve(directory.store, settings, { log, stopSignal: host.stopSignal, ...figures, metricsPort })
  } finally {
    await pages.close()
    await count?.stop()
    tls?.close()
    metricsServer?.close()
    directory.close()
  }
  log.info('node has stopped')
}

/** @throws {FaultError} when the data belong to another cluster than `clusterId` */
function refuseOtherCluster({ membership }: SqliteStore, { clusterId, dataDir }: NodeSettings): void {
  if (clusterId === undefined || membership === undefined || membership.clusterId === clusterId) return
  throw new FaultError(
    'wrong_cluster',
    `CLUSTER_ID is ${clusterId}, but the data directory ${dataDir} belongs to the cluster ${membership.clusterId}: ` +
      'correct one of the two; nothing was changed',
    undefined,
  )
}

/** Logs how far the upgrade of a database is, every few seconds and at its end. */
function logUpgrade(log: Logger): (done: number, total: number) => void {
  let nextMs = Number.NEGATIVE_INFINITY
  return (done, total) => {
    const nowMs = performance.now()
    if (nowMs < nextMs && done < total) return
    nextMs = nowMs + UPGRADE_LINE_MS
    log.info({ done, total }, `upgrading the database: ${done} of ${total} records`)
  }
}

async function showMetrics(
  store: SqliteStore,
  { host, metricsPort: port, dataDir }: NodeSettings,
  {
    connections,
    counters,
    damages,
    pages,
    droppedCount,
    tls,
  }: Pick<NodeFigures, 'connections' | 'counters' | 'damages' | 'pages'> &
    Pick<Log, 'droppedCount'> &
    Pick<Surroundings, 'tls'>,
): Promise<MetricsServer | undefined> {
  if (port === undefined) return undefined
  const metrics = new Metrics()
  addNodeMetrics(metrics, { connections, counters, damages, pages, store, dataDir })
  addLogMetrics(metrics, { droppedCount })
  addCertificateMetrics(metrics, tls === undefined ? [] : [tls])
  return serveMetrics(metrics, { host, port })
}

type Surroundings = Readonly<{
  log: Logger
  stopSignal: HostProcess['stopSignal']
  connections: ConnectionLimit
  counters: NodeCounters
  damages: Damages
  pages: PageScrub
  /** `undefined`: connections are not encrypted. */
  tls: TlsFiles | undefined
  metricsPort: number | undefined
}>

async function serve(
  store: SqliteStore,
  settings: NodeSettings,
  { log, stopSignal, connections, counters, damages, pages, tls, metricsPort }: Surroundings,
): Promise<void> {
  const failure = Promise.withResolvers<never>()
  const handler = new NodeHandler({
    store,
    version: VERSION,
    clusterId: settings.clusterId,
    defer: setImmediate,
    onFatal: failure.reject,
    onForeign: (sentence) => log.error(`${sentence}.`),
    counters,
    damages,
  })
  const service = buildNodeService(handler, connections, tls && securityOf(tls, log))
  const stopped = stopSignal()
  const port = await service.listen(settings)
  service.setServing(true)
  const { host, dataDir } = settings
  log.info({ host, port, metricsPort, nodeId: store.nodeId, version: VERSION, dataDir }, 'node is listening')

  const scrub = new Scrub({
    handler,
    recordCount: () => store.inventory.counts.recordCount,
    clock: systemClock,
    passMs: settings.scrubPeriodMs,
    onPass: (records) => {
      const { count: damaged, foundCount: found, healedCount: healed } = damages
      log.info({ records, damaged, found, healed }, 'all records have been read in search of damaged ones')
      pages.start()
    },
  })
  scrub.run()
  const flushing = setInterval(() => {
    handler.flush()
    handler.reclaim()
  }, FLUSH_INTERVAL_MS)
  try {
    await Promise.race([failure.promise, drainOn(stopped, handler, service, log)])
  } catch (err) {
    if (err instanceof FaultError && err.code === 'not_a_member')
      log.error({ nodeId: store.nodeId, dataDir }, err.message)
    else log.error({ err, nodeId: store.nodeId, dataDir }, 'node has failed and no longer answers')
    service.setServing(false)
    await wait(FAILED_LINGER_MS)
    throw err
  } finally {
    clearInterval(flushing)
    scrub.close()
    service.close()
  }
}

function limitConnections({ maxConnections }: NodeSettings, log: Logger): ConnectionLimit {
  const reports = new RepeatedReports(systemClock)
  return new ConnectionLimit(maxConnections, ({ address, openCount }) => {
    reports.report('', (leftOut) =>
      log.warn(
        { peer: address, open: openCount, maxConnections, leftOut },
        'a connection was refused: too many are open',
      ),
    )
  })
}

function securityOf(files: TlsFiles, log: Logger): NodeSecurity {
  const reports = new RepeatedReports(systemClock)
  return {
    files,
    onRefused: (peer, reason) => {
      reports.report(reason, (leftOut) => log.warn({ peer, leftOut }, `a connection was refused: ${reason}`))
    },
  }
}

async function drainOn(
  stopped: Promise<NodeJS.Signals>,
  handler: NodeHandler,
  service: NodeService,
  log: Logger,
): Promise<void> {
  const signal = await stopped
  log.info({ signal }, 'node is stopping')
  service.setServing(false)
  await service.drain(DRAIN_TIMEOUT_MS)
  handler.settle(SETTLE_LIMIT_MS, () => performance.now())
}
