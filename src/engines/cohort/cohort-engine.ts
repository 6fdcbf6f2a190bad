/**
 * Our own engine: it keeps groups with Fast CASPaxos on independent nodes. It is made of the rooms below it:
 * the cluster that a connector follows (`membership`), the links to its nodes (`replication`), and the
 * background work that keeps the nodes equal (`upkeep`).
 */
import { randomBytes, randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { KeyStore } from '../../access/key-store.ts'
import { addChangesMetrics } from '../../changes/changes-metrics.ts'
import type { GroupMembers } from '../../group/group-members.ts'
import { Cluster } from '../../membership/cluster.ts'
import { addressesOf } from '../../membership/cluster-snapshot.ts'
import type { Metrics } from '../../metrics/metrics.ts'
import type { Clock } from '../../process/clock.ts'
import { incarnations } from '../../process/incarnations.ts'
import { Counters } from '../../replication/counters.ts'
import { Divergences } from '../../replication/divergence.ts'
import { reportKeyFaults } from '../../replication/key-faults.ts'
import { drawProposerId } from '../../replication/proposer-id.ts'
import type { Connect } from '../../rpc/transport.ts'
import { HEALING_LIMITS, Healing } from '../../upkeep/healing/healing.ts'
import { REMOVAL_LIMITS, Removal } from '../../upkeep/removal/removal.ts'
import { REPAIR_LIMITS, Repair } from '../../upkeep/repair/repair.ts'
import type { Engine, MemberChanges, Readiness, ReplicasView, StatusView } from '../engine.ts'
import { CHANGES_LIMITS, ClusterChanges } from './changes/cluster-changes.ts'
import { addEngineMetrics } from './engine-metrics.ts'
import { KnownLives } from './group-members/known-lives.ts'
import { MemberProtocol } from './group-members/member-protocol.ts'
import { RegisterGroupMembers } from './group-members/register-group-members.ts'
import { MemberSweep, SWEEP_LIMITS } from './group-members/sweep.ts'
import { GROUP_NAMESPACE_END, GroupRegistry } from './group-registry.ts'
import { memberChangesOf } from './member-changes.ts'
import { API_KEY_NAMESPACE, RegisterKeyStore } from './register-key-store.ts'
import { RegisterWalk } from './register-walk.ts'
import { ClusterReplicasView } from './status/cluster-replicas-view.ts'
import { ClusterStatusView } from './status/cluster-status-view.ts'
import { NodePoll, POLL_LIMITS } from './status/node-poll.ts'
import { StateLog } from './status/state-log.ts'
import { healingTargetOf, removalTargetOf, repairTargetOf } from './upkeep-targets.ts'

export type CohortEngineOptions = Readonly<{
  /** The nodes, as `host:port`: those of an existing cluster, or those of a new one. */
  hosts: readonly string[]
  /** The longest time that an operation takes, in milliseconds. */
  timeoutMs: number
  /**
   * The grace time of a cluster that this process creates, in milliseconds. An existing cluster keeps its
   * own.
   */
  tombstoneGraceMs: number
  /** The time after which an empty node at the address of a member replaces that member. */
  replaceAfterMs: number
  /** The only cluster that this process may serve; `undefined`: any, also a new one. */
  clusterId: string | undefined
  connect: Connect
  clock: Clock
  /** Uniform in [0, 1). */
  random: () => number
  /** What the status says in addition; as in `Knowledge`. Default: nothing. */
  notices?: (addresses: readonly string[]) => readonly string[]
  logger: Logger
}>

/** How many groups' lives a connector remembers, each in some hundred bytes. */
const KNOWN_LIVES_MAX = 20_000

export class CohortEngine implements Engine {
  readonly registry: GroupRegistry
  readonly readiness: Readiness
  readonly status: StatusView
  readonly replicas: ReplicasView
  readonly members: MemberChanges
  readonly groupMembers: GroupMembers
  readonly keys: KeyStore
  readonly changes: ClusterChanges
  readonly #counters = new Counters()
  readonly #divergences: Divergences
  readonly #cluster: Cluster
  readonly #poll: NodePoll
  readonly #repair: Repair
  readonly #removal: Removal
  readonly #healing: Healing
  readonly #memberSweep: MemberSweep
  readonly #stateLog: StateLog

  constructor(options: CohortEngineOptions) {
    const { clock, random, logger, timeoutMs } = options
    const divergences = new Divergences(logger)
    const cluster = new Cluster({
      hosts: options.hosts,
      operationTimeoutMs: timeoutMs,
      tombstoneGraceMs: options.tombstoneGraceMs,
      replaceAfterMs: options.replaceAfterMs,
      clusterId: options.clusterId,
      connect: options.connect,
      clock,
      random,
      drawProposerId,
      drawId: randomUUID,
      drawSecret: () => randomBytes(8).toString('hex'),
      logger,
      counters: this.#counters,
      onKeyFault: reportKeyFaults(logger, clock),
      onDamage: (key) => this.#healing.note(key),
      onDivergence: (key, replicas) => void divergences.observe(key, replicas),
    })
    this.#divergences = divergences
    this.#cluster = cluster
    this.#poll = new NodePoll({
      addresses: () => addressesOf(cluster.snapshot()),
      describe: (address, describeTimeoutMs) => cluster.describeNode(address, describeTimeoutMs),
      clock,
      ...POLL_LIMITS,
    })
    this.#repair = new Repair({
      target: () => repairTargetOf(cluster),
      observe: (key, replicas) => divergences.observe(key, replicas),
      clock,
      random,
      timeoutMs: () => cluster.operationTimeoutMs,
      limits: REPAIR_LIMITS,
      logger,
    })
    this.#removal = new Removal({
      target: () => removalTargetOf(cluster),
      // API keys, group members, and groups: no other namespace is between these.
      range: { start: API_KEY_NAMESPACE, end: GROUP_NAMESPACE_END },
      graceMs: () => cluster.tombstoneGraceMs,
      clock,
      random,
      drawProposerId,
      limits: REMOVAL_LIMITS,
      logger,
    })
    this.#healing = new Healing({
      target: () => healingTargetOf(cluster),
      clock,
      random,
      limits: HEALING_LIMITS,
      logger,
    })
    this.registry = new GroupRegistry(cluster, { clock, operationTimeoutMs: timeoutMs })
    const walk = new RegisterWalk(cluster, { clock, operationTimeoutMs: timeoutMs })
    const protocol = new MemberProtocol({
      registers: () => cluster.client,
      lives: new KnownLives(KNOWN_LIVES_MAX),
      nowMs: () => clock.nowMs(),
      // Its last step takes one more: three timeouts are less than a third of the grace time.
      lifetimeMs: () => 2 * cluster.operationTimeoutMs,
      drawTicket: incarnations(),
    })
    this.groupMembers = new RegisterGroupMembers(protocol, walk)
    this.#memberSweep = new MemberSweep({
      protocol,
      walk,
      isReady: () => cluster.client !== undefined,
      graceMs: () => cluster.tombstoneGraceMs,
      clock,
      random,
      limits: SWEEP_LIMITS,
      logger,
    })
    this.keys = new RegisterKeyStore(cluster, { clock, operationTimeoutMs: timeoutMs })
    this.readiness = cluster
    this.status = new ClusterStatusView({
      snapshot: () => cluster.snapshot(),
      latest: (address) => this.#poll.latest(address),
      problem: (address) => this.#poll.problem(address),
      lag: this.#repair.report,
      divergences,
      notices: options.notices ?? (() => []),
    })
    this.#stateLog = new StateLog({ describe: () => this.status.describe(), clock, logger })
    this.replicas = new ClusterReplicasView({ snapshot: () => cluster.snapshot(), divergences, clock })
    this.members = memberChangesOf(cluster.changes)
    this.changes = new ClusterChanges({ cluster, clock, logger, limits: CHANGES_LIMITS })
  }

  addMetrics(metrics: Metrics): void {
    addEngineMetrics(metrics, {
      counters: this.#counters,
      snapshot: () => this.#cluster.snapshot(),
      status: this.status,
      divergences: this.#divergences,
      repair: this.#repair.report,
      removal: () => this.#removal.report,
      healing: () => this.#healing.report,
      memberSweep: () => this.#memberSweep.report,
      changes: () => this.changes.report,
    })
    addChangesMetrics(metrics, () => this.changes.report)
  }

  /** Replaces the connections to all nodes, one after the other, without failing a request. */
  renewConnections(): Promise<void> {
    return this.#cluster.renewConnections()
  }

  async run(): Promise<void> {
    this.#poll.start()
    this.#stateLog.start()
    const tasks = [this.#cluster, this.#repair, this.#removal, this.#healing, this.#memberSweep]
    await Promise.all(tasks.map((task) => task.run()))
  }

  close(): void {
    this.changes.close()
    this.#memberSweep.close()
    this.#removal.close()
    this.#healing.close()
    this.#repair.close()
    this.#stateLog.close()
    this.#poll.close()
    this.#cluster.close()
  }
}
