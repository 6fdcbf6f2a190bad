import { CHANGES_LIMITS, ClusterChanges } from '../../engines/cohort/changes/cluster-changes.ts'
import { KnownLives } from '../../engines/cohort/group-members/known-lives.ts'
import {
  MemberProtocol,
  type MemberProtocolOptions,
} from '../../engines/cohort/group-members/member-protocol.ts'
import { MemberSweep, SWEEP_LIMITS } from '../../engines/cohort/group-members/sweep.ts'
import { GROUP_NAMESPACE_END, GroupRegistry } from '../../engines/cohort/group-registry.ts'
import { API_KEY_NAMESPACE } from '../../engines/cohort/register-key-store.ts'
import { RegisterWalk } from '../../engines/cohort/register-walk.ts'
import { healingTargetOf, removalTargetOf, repairTargetOf } from '../../engines/cohort/upkeep-targets.ts'
import { Cluster } from '../../membership/cluster.ts'
import type { Request } from '../../register/messages.ts'
import { Counters } from '../../replication/counters.ts'
import { findDivergences, type Replica } from '../../replication/divergence.ts'
import { type LinkOptions, NodeLink } from '../../replication/links/node-link.ts'
import type { PendingRequest } from '../../replication/links/pending-request.ts'
import type { Membership } from '../../rpc/messages.ts'
import { HEALING_LIMITS, Healing } from '../../upkeep/healing/healing.ts'
import { REMOVAL_LIMITS, Removal } from '../../upkeep/removal/removal.ts'
import { Repair, type RepairLimits } from '../../upkeep/repair/repair.ts'
import type { RepairTarget } from '../../upkeep/repair/repair-target.ts'
import { Violation } from '../checkers/violation.ts'
import type { Protocol } from '../protocol.ts'
import type { SimulatedTransport } from './network.ts'
import type { Stage } from './stage.ts'
import type { ProcessClock } from './timeline.ts'

export type ConnectorProcessOptions = Readonly<{
  /** The name of this start of a connector, for the report. */
  name: string
  stage: Stage
  protocol: Protocol
  clock: ProcessClock
  /** The addresses at which the connector looks for its cluster. */
  hosts: readonly string[]
  connect: (address: string, owner: ProcessClock) => SimulatedTransport
  drawProposerId: () => number
  operationTimeoutMs: number
  viewCacheBytesMax: number
  viewAgeMsMax: number
  tombstoneGraceMs: number
  replaceAfterMs: number
  isRemoving: boolean
  isRepairing: boolean
  isHealing: boolean
  /** Makes the protocol of group members; `undefined`: nobody adds any. */
  newMemberProtocol: ((options: MemberProtocolOptions) => MemberProtocol) | undefined
  repairLimits: RepairLimits
  /** Called when a connector is going to propose a membership. */
  onPlan: (membership: Membership) => void
  /**
   * Called when a proposer that works in an epoch sends a request, in the same turn in which it decided to
   * send it.
   */
  onSend: (connector: ConnectorProcess, to: LinkOptions, key: string, request: Request) => void
}>

/** Few keys in a page, so that a walk has many pages, which show different moments. */
const REMOVAL = { ...REMOVAL_LIMITS, pageRecordsMax: 2 }

/** The link that ships, with every request reported to the checkers. */
class WatchedLink extends NodeLink {
  readonly #onSend: (pending: PendingRequest) => void
  readonly #onSettle: () => void

  constructor(options: LinkOptions, onSend: (pending: PendingRequest) => void, onSettle: () => void) {
    super(options)
    this.#onSend = onSend
    this.#onSettle = onSettle
  }

  override send(pending: PendingRequest): boolean {
    this.#onSend(pending)
    return super.send(this.#settling(pending))
  }

  /** An answer may settle a promise; code that awaits it runs before simulated time goes on. */
  #settling(pending: PendingRequest): PendingRequest {
    return {
      ...pending,
      onAnswer: (answer) => {
        this.#onSettle()
        pending.onAnswer(answer)
      },
      onLost: () => {
        this.#onSettle()
        pending.onLost()
      },
    }
  }
}

/** A whole connector as it ships, but for its HTTP server, in a process that can be stopped and killed. */
export class ConnectorProcess {
  readonly name: string
  readonly clock: ProcessClock
  readonly cluster: Cluster
  readonly registry: GroupRegistry
  readonly changes: ClusterChanges
  readonly members: MemberProtocol
  isDead = false
  readonly #options: ConnectorProcessOptions
  /** By address. */
  readonly #transports = new Map<string, SimulatedTransport>()
  readonly #repair: Repair
  readonly #removal: Removal
  readonly #healing: Healing
  readonly #memberSweep: MemberSweep
  #idCount = 0

  constructor(options: ConnectorProcessOptions) {
    const { name, clock, operationTimeoutMs, isRepairing, isRemoving, isHealing } = options
    this.name = name
    this.clock = clock
    this.#options = options
    this.cluster = this.#newCluster()
    this.registry = new GroupRegistry(this.cluster, { clock, operationTimeoutMs })
    this.changes = this.#newChanges()
    this.members = (options.newMemberProtocol ?? newMemberProtocol)({
      registers: () => this.cluster.client,
      // So few that some are forgotten.
      lives: new KnownLives(3),
      nowMs: () => clock.nowMs(),
      lifetimeMs: () => 2 * this.cluster.operationTimeoutMs,
      drawTicket: () => {
        this.#idCount += 1
        return `${name}-${this.#idCount}`
      },
    })
    this.#memberSweep = this.#newMemberSweep()
    this.#repair = this.#newRepair()
    this.#removal = this.#newRemoval()
    this.#healing = this.#newHealing()
    this.#run(this.cluster)
    if (isHealing) this.#run(this.#healing)
    if (isRepairing) this.#run(this.#repair)
    if (isRemoving) this.#run(this.#removal)
    if (isRemoving && options.newMemberProtocol !== undefined) this.#run(this.#memberSweep)
  }

  /** Starts background repair, if it was not started with the connector. */
  startRepair(): void {
    if (!this.#options.isRepairing) this.#run(this.#repair)
  }

  /** Whether the connector has found its cluster. */
  get isReady(): boolean {
    return !this.isDead && this.cluster.client !== undefined
  }

  get transports(): readonly SimulatedTransport[] {
    return [...this.#transports.values()]
  }

  transportTo(address: string): SimulatedTransport {
    const known = this.#transports.get(address)
    if (known !== undefined) return known
    const transport = this.#options.connect(address, this.clock)
    this.#transports.set(address, transport)
    return transport
  }

  kill(): void {
    this.isDead = true
    this.changes.close()
    this.#repair.close()
    this.#removal.close()
    this.#healing.close()
    this.#memberSweep.close()
    this.clock.kill()
    for (const transport of this.transports) transport.reset()
  }

  #run(task: Readonly<{ run: () => Promise<void> }>): void {
    task.run().catch((error: unknown) => this.#options.stage.fail(error))
  }

  #newCluster(): Cluster {
    const { stage, protocol, clock, hosts, drawProposerId, onSend, onPlan } = this.#options
    const { operationTimeoutMs, tombstoneGraceMs, replaceAfterMs, viewCacheBytesMax, viewAgeMsMax } =
      this.#options
    return new Cluster({
      hosts,
      operationTimeoutMs,
      tombstoneGraceMs,
      replaceAfterMs,
      clusterId: undefined,
      connect: (address) => this.transportTo(address),
      clock,
      random: () => stage.chance.uniform(),
      drawProposerId,
      // The nodes of this world hash keys without it.
      drawSecret: () => '00c0ffee00c0ffee',
      drawId: () => {
        this.#idCount += 1
        return `${this.name}-${this.#idCount}`
      },
      logger: this.#logger(),
      counters: new Counters(),
      onKeyFault: (key, fault) =>
        this.#options.stage.fail(
          new Violation('no operation ends because of a fault of its key', `${key}: ${fault}`),
        ),
      onDamage: (key) => this.#healing.note(key),
      onDivergence: (key, replicas) => this.#observe(key, replicas),
      seams: {
        rules: protocol.rules,
        membership: {
          ...protocol.membership,
          quorumsOf: this.#quorumsOf,
          requireSpare: (plan, isReachable) => {
            const required = protocol.membership.requireSpare(plan, isReachable)
            if (required.kind === 'change') onPlan(required.membership)
            return required
          },
        },
        viewCacheBytesMax,
        viewAgeMsMax,
        newLink: (to) =>
          new WatchedLink(
            to,
            ({ key, request }) => onSend(this, to, key, request),
            () => clock.settle(),
          ),
      },
    })
  }

  #logger() {
    const { stage } = this.#options
    const tell = (fields: object | string, message?: string): void =>
      stage.tell(`${this.name}  ${message ?? fields}`)
    return { debug: () => {}, info: tell, warn: tell, error: tell }
  }

  #quorumsOf: Protocol['membership']['quorumsOf'] = (membership) => {
    const { protocol } = this.#options
    if (membership.outgoing !== undefined) return protocol.membership.quorumsOf(membership)
    return protocol.quorumsOf(membership.members.length)
  }

  #newChanges(): ClusterChanges {
    const { clock, protocol } = this.#options
    return new ClusterChanges({
      cluster: this.cluster,
      clock,
      logger: this.#logger(),
      limits: CHANGES_LIMITS,
      mustCount: protocol.mustCount,
    })
  }

  #newRepair(): Repair {
    const { stage, clock, repairLimits } = this.#options
    return new Repair({
      target: () => this.#repairTarget(),
      observe: (key, replicas) => this.#observe(key, replicas),
      clock,
      random: () => stage.chance.uniform(),
      timeoutMs: () => this.cluster.operationTimeoutMs,
      limits: repairLimits,
      logger: { info: () => {}, debug: () => {} },
    })
  }

  #watched: RepairTarget | undefined

  /** What repair works with; a broken protocol may replace its parts. Each epoch has a client of its own. */
  #repairTarget(): RepairTarget | undefined {
    const target = repairTargetOf(this.cluster)
    if (target === undefined) return undefined
    if (this.#watched?.epoch === target.epoch) return this.#watched
    const { client, members } = target
    const { knownToRepair, doesRepairSettle, quorumsOf } = this.#options.protocol
    const quorums = quorumsOf(members.length)
    const watched: RepairTarget['client'] = {
      judge: (records) => client.judge(records) && { chosen: knownToRepair(records, quorums) },
      settle: async (key) => (doesRepairSettle ? client.settle(key) : { kind: 'not_applied' }),
    }
    this.#watched = { ...target, client: watched }
    return this.#watched
  }

  #observe(key: string, replicas: readonly Replica[]): readonly unknown[] {
    const found = findDivergences(key, replicas)
    if (found.length > 0) this.#options.stage.fail(new Violation('nodes never contradict each other', key))
    return found
  }

  #newHealing(): Healing {
    const { stage, clock } = this.#options
    return new Healing({
      target: () => healingTargetOf(this.cluster),
      clock,
      random: () => stage.chance.uniform(),
      limits: { ...HEALING_LIMITS, intervalMs: 500 },
      logger: { info: () => {}, debug: () => {} },
    })
  }

  #newMemberSweep(): MemberSweep {
    const { stage, clock, operationTimeoutMs } = this.#options
    return new MemberSweep({
      protocol: this.members,
      walk: new RegisterWalk(this.cluster, { clock, operationTimeoutMs }),
      isReady: () => this.isReady,
      graceMs: () => this.cluster.tombstoneGraceMs,
      clock,
      random: () => stage.chance.uniform(),
      limits: SWEEP_LIMITS,
      logger: { info: () => {}, debug: () => {} },
    })
  }

  #newRemoval(): Removal {
    const { stage, clock, drawProposerId } = this.#options
    return new Removal({
      target: () => removalTargetOf(this.cluster),
      range: { start: API_KEY_NAMESPACE, end: GROUP_NAMESPACE_END },
      graceMs: () => this.cluster.tombstoneGraceMs,
      clock,
      random: () => stage.chance.uniform(),
      drawProposerId,
      limits: REMOVAL,
      logger: { info: () => {}, debug: () => {} },
    })
  }
}

/** The protocol of group members that ships. */
export function newMemberProtocol(options: MemberProtocolOptions): MemberProtocol {
  return new MemberProtocol(options)
}
