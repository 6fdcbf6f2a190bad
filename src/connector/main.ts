/** The connector's process: everything it is made of is wired here. */
import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import type { ConnectorSettings } from '../config/settings.ts'
import { addConnectorMetrics } from '../engines/cohort/engine-metrics.ts'
import { GROUP_NAMESPACE, GROUP_NAMESPACE_END, GroupRegistry } from '../engines/cohort/group-registry.ts'
import { NodePoll, POLL_LIMITS } from '../engines/cohort/status/node-poll.ts'
import { ClusterStatusView } from '../engines/cohort/status/status-view.ts'
import { buildApp } from '../http/app.ts'
import { RequestCounts } from '../http/count-requests.ts'
import { Cluster } from '../membership/cluster.ts'
import { addressesOf } from '../membership/cluster-snapshot.ts'
import { Metrics } from '../metrics/metrics.ts'
import { systemClock } from '../process/clock.ts'
import { listenFault } from '../process/fault.ts'
import { stopSignal } from '../process/stop-signal.ts'
import { VERSION } from '../process/version.ts'
import { keepGarbageYoung } from '../process/young-garbage.ts'
import { Counters } from '../replication/counters.ts'
import { Divergences } from '../replication/divergence.ts'
import { drawProposerId } from '../replication/proposer-id.ts'
import { connectGrpc } from '../rpc/grpc-transport.ts'
import { REMOVAL_LIMITS, Removal } from '../upkeep/removal/removal.ts'
import { removalTargetOf } from '../upkeep/removal/removal-target.ts'
import { REPAIR_LIMITS, Repair } from '../upkeep/repair/repair.ts'
import { repairTargetOf } from '../upkeep/repair/repair-target.ts'

/** Incarnations that no other process draws, at the cost of a count: drawing each anew took a tenth of a create. */
function incarnations(): () => string {
  const process = randomBytes(8).toString('hex')
  let count = 0
  return () => {
    count += 1
    return `${process}-${count.toString(36)}`
  }
}

/**
 * Serves the public API until SIGTERM or SIGINT, then answers what it has accepted and resolves; a second signal ends
 * the process at once.
 *
 * @throws {FaultError} when it cannot listen
 */
export async function runConnector(settings: ConnectorSettings): Promise<void> {
  keepGarbageYoung()
  const { host, port, hosts } = settings
  const logger = pino(
    { level: settings.logLevel, name: 'connector' },
    pino.destination({ dest: 1, sync: true }),
  )
  const stopped = stopSignal()
  const counters = new Counters()
  const divergences = new Divergences(logger)
  const cluster = new Cluster({
    hosts,
    operationTimeoutMs: settings.timeoutMs,
    tombstoneGraceMs: settings.tombstoneGraceMs,
    connect: connectGrpc,
    clock: systemClock,
    logger,
    counters,
    onDivergence: (key, replicas) => void divergences.observe(key, replicas),
  })
  const poll = new NodePoll({
    addresses: () => addressesOf(cluster.snapshot()),
    describe: (address, timeoutMs) => cluster.describeNode(address, timeoutMs),
    clock: systemClock,
    ...POLL_LIMITS,
  })
  const repair = new Repair({
    target: () => repairTargetOf(cluster),
    observe: (key, replicas) => divergences.observe(key, replicas),
    clock: systemClock,
    random: Math.random,
    get timeoutMs() {
      return cluster.operationTimeoutMs
    },
    limits: REPAIR_LIMITS,
    logger,
  })
  const status = new ClusterStatusView({
    snapshot: () => cluster.snapshot(),
    latest: (address) => poll.latest(address),
    lag: repair.report,
    divergences,
    clock: systemClock,
  })
  const removal = new Removal({
    target: () => removalTargetOf(cluster),
    range: { start: GROUP_NAMESPACE, end: GROUP_NAMESPACE_END },
    get graceMs() {
      return cluster.tombstoneGraceMs
    },
    clock: systemClock,
    random: Math.random,
    drawProposerId,
    limits: REMOVAL_LIMITS,
    logger,
  })
  const metrics = new Metrics()
  const requestCounts = new RequestCounts()
  addConnectorMetrics(metrics, {
    counters,
    requestCounts,
    snapshot: () => cluster.snapshot(),
    status,
    divergences,
    repair: repair.report,
    removal: () => removal.report,
  })
  const app = buildApp({
    registry: new GroupRegistry(cluster, { clock: systemClock, operationTimeoutMs: settings.timeoutMs }),
    cluster,
    members: cluster.changes,
    status,
    metrics,
    requestCounts,
    nowMs: () => systemClock.nowMs(),
    clock: { now: () => new Date() },
    newIncarnation: incarnations(),
    retryAfterSeconds: 1,
    logger,
  })
  await app.listen({ host, port }).catch((cause: Error) => {
    throw listenFault(`${host}:${port}`, cause)
  })
  const searching = cluster.run()
  const repairing = repair.run()
  poll.start()
  const removing = removal.run()
  // PORT 0 took any free one.
  const [listening] = app.addresses()
  logger.info(
    { host, port: typeof listening === 'object' ? listening.port : port, hosts, version: VERSION },
    'connector is listening',
  )
  logger.info({ signal: await stopped }, 'connector is stopping')
  removal.close()
  await app.close()
  poll.close()
  repair.close()
  cluster.close()
  await Promise.all([searching, repairing, removing])
  logger.info('connector has stopped')
}
