/**
 * The cluster as one connector knows it: finds it (or lets it be born), keeps links to its nodes, and follows it from one
 * epoch to the next.
 */
import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { Clock } from '../process/clock.ts'
import { TIMEOUTS_PER_GRACE } from '../register/grace-time.ts'
import { classicQuorum, type Quorums, unanimousQuorums } from '../register/quorum.ts'
import { RULES } from '../register/rules.ts'
import type { Counters } from '../replication/counters.ts'
import type { Replica } from '../replication/divergence.ts'
import { NodeLink } from '../replication/links/node-link.ts'
import { livesWithin } from '../replication/lives.ts'
import { drawProposerId } from '../replication/proposer-id.ts'
import { MEMORIES_MAX, RegisterClient } from '../replication/register-client.ts'
import {
  isJoint,
  isMemberOf,
  joiningOf,
  leavingOf,
  nodesOfEpoch,
  quorumsOfMembership,
} from '../rpc/membership.ts'
import type { Description, Member, Membership, Mismatch } from '../rpc/messages.ts'
import type { Connect, NodeTransport } from '../rpc/transport.ts'
import type { KeySource } from '../scan/first-pages.ts'
import { giveBirth } from './birth.ts'
import { ChangeMembers, type MemberChanges } from './change-members.ts'
import type { ClusterSnapshot } from './cluster-snapshot.ts'
import { describeChange } from './describe-change.ts'
import { discover, type Finding, furtherAddresses } from './discovery.ts'
import { tellRemoved } from './farewell.ts'
import { observe } from './look-around.ts'
import type { LostDisk, LostDiskFinding } from './lost-disks.ts'
import { readMembership } from './membership-register.ts'
import { MismatchLog } from './mismatch-log.ts'
import { NodeDirectory } from './node-directory.ts'
import { TransferDriver } from './transfer-driver.ts'

export type ClusterOptions = Readonly<{
  hosts: readonly string[]
  operationTimeoutMs: number
  /** Of a cluster that is born; one that is there has its own. */
  tombstoneGraceMs: number
  connect: Connect
  clock: Clock
  logger: Logger
  counters: Counters
  /** Told of nodes that contradict each other about a key. */
  onDivergence: (key: string, replicas: readonly Replica[]) => void
}>

/** How long to wait before hosts are asked again. */
const DISCOVERY_PAUSE_MS = 250

/** How often nodes are looked for when all is well, and how often the chosen membership is read. */
const LOOK_MS = 5_000
const WATCH_MS = 2_000

/** One epoch, and the way to work in it. */
type Epoch = Readonly<{
  membership: Membership
  client: RegisterClient
  /** In a joint epoch. */
  transfer: TransferDriver | undefined
}>

export class Cluster {
  /** Changes of the membership, for whoever asks for one. */
  readonly changes: MemberChanges
  readonly #options: ClusterOptions
  readonly #directory: NodeDirectory
  readonly #mismatches: MismatchLog
  /** This connector, as no other calls itself. */
  readonly #self = randomUUID()
  /** Where nodes were that are members no more: they are told when they are seen. */
  readonly #formerAddresses = new Set<string>()
  #epoch: Epoch | undefined
  #isClosed = false
  /** What was last logged of the search. */
  #lastReason: string | undefined
  /** Disks that are lost beyond repair, as a sentence without its full stop. */
  #loss: string | undefined
  /** What the last look found, so that nobody is replaced after a single one. */
  #suspectedLoss: LostDisk | undefined
  #lookedAtMs = Number.NEGATIVE_INFINITY
  #watchedAtMs = Number.NEGATIVE_INFINITY
  #isWatching = false

  constructor(options: ClusterOptions) {
    this.#options = options
    this.#directory = new NodeDirectory(options.connect)
    this.#mismatches = new MismatchLog(options.logger)
    this.changes = new ChangeMembers({
      epoch: () => this.#epoch,
      directory: this.#directory,
      onChosen: (membership, isOurs) => this.#follow(membership, isOurs),
    })
  }

  /** `undefined` until the cluster is found. */
  get client(): RegisterClient | undefined {
    return this.#epoch?.client
  }

  get membership(): Membership | undefined {
    return this.#epoch?.membership
  }

  /** How long each step of removing a tombstone waits: what the cluster was born with. */
  get tombstoneGraceMs(): number {
    return this.#epoch?.membership.tombstoneGraceMs ?? this.#options.tombstoneGraceMs
  }

  /** What an operation may take here, at most: as set, within what the cluster's grace time leaves it. */
  get operationTimeoutMs(): number {
    return Math.min(this.#options.operationTimeoutMs, this.tombstoneGraceMs / TIMEOUTS_PER_GRACE)
  }

  /** The nodes of this epoch as sources of keys, in the order of the client's links. */
  get keySources(): readonly (KeySource & Readonly<{ transport: NodeTransport }>)[] {
    if (this.#epoch === undefined) return []
    const { membership } = this.#epoch
    const { clusterId, epoch } = membership
    return nodesOfEpoch(membership).map((member) => ({
      transport: this.#directory.transportOf(member),
      recipient: { clusterId, epoch, nodeId: member.nodeId },
    }))
  }

  isReady(): boolean {
    return !this.#isClosed && this.#epoch?.client.isQuorumReachable === true
  }

  /** What is known at this moment. */
  snapshot(): ClusterSnapshot {
    if (this.#epoch === undefined) {
      const reason = this.#lastReason ?? 'its hosts are being asked'
      return { kind: 'searching', hosts: this.#options.hosts, reason }
    }
    const { membership, client, transfer } = this.#epoch
    const { clusterId, epoch, members, outgoing } = membership
    const joining = joiningOf(membership)
    const leaving = leavingOf(membership)
    const progress = transfer?.progress
    const share = progress === undefined ? undefined : progress.done / Math.max(1, progress.total)
    return {
      kind: 'found',
      clusterId,
      epoch,
      quorum: classicQuorum((outgoing ?? members).length),
      isQuorumReachable: client.isQuorumReachable,
      members: nodesOfEpoch(membership).map((member, index) => ({
        nodeId: member.nodeId,
        address: this.#directory.addressOf(member),
        link: client.links[index]!,
        role: has(joining, member) ? 'joining' : has(leaving, member) ? 'leaving' : 'voting',
        progress: has(joining, member) ? share : undefined,
      })),
      change: isJoint(membership) ? describeChange(joining, leaving, progress) : undefined,
      loss: this.#loss,
    }
  }

  /** Asks the node at an address who it is and what it holds. Rejects when it does not answer within `timeoutMs`. */
  describeNode(address: string, timeoutMs: number): Promise<Description> {
    return this.#directory.describe(address, timeoutMs)
  }

  /** Looks for the cluster until it is found, then keeps an eye on it and its nodes. Returns when closed. */
  async run(): Promise<void> {
    while (!this.#isClosed) {
      if (this.#epoch === undefined) await this.#search()
      else await this.#tend(this.#epoch)
      await this.#pause()
    }
  }

  close(): void {
    this.#isClosed = true
    this.#epoch?.transfer?.close()
    this.#epoch?.client.close()
    this.#directory.close()
  }

  // Finding it --------------------------------------------------------------------------------------------------------

  async #search(): Promise<void> {
    const { hosts, logger } = this.#options
    const sightings = await this.#directory.look(hosts)
    const further = furtherAddresses(hosts, sightings)
    const finding = discover(
      hosts,
      further.length === 0 ? sightings : [...sightings, ...(await this.#directory.look(further))],
    )
    if (this.#isClosed) return
    if (finding.kind === 'found') {
      for (const [nodeId, address] of finding.addresses) this.#directory.noteAddress(nodeId, address)
      if (finding.strays.length > 0) {
        const { clusterId } = finding.membership
        logger.error(
          { clusterId, hosts: finding.strays },
          'these hosts hold the data of another cluster and are not used: take them out of HOSTS',
        )
      }
      this.#follow(finding.membership, false)
    } else if (finding.kind === 'birth') await this.#birth(finding)
    else if (finding.reason !== this.#lastReason) {
      this.#lastReason = finding.reason
      if (finding.kind === 'lost') logger.error({ hosts }, `${finding.reason}.`)
      else logger.warn({ hosts, reason: finding.reason }, 'waiting for nodes')
    }
  }

  async #birth({ members }: Extract<Finding, { kind: 'birth' }>): Promise<void> {
    const client = this.#newClient(unanimousQuorums(members.length), members, undefined)
    const membership = await giveBirth(client, members, this.#options.tombstoneGraceMs)
    client.close()
    if (membership === undefined || this.#isClosed) return
    this.#options.logger.info(
      { clusterId: membership.clusterId, members: membership.members },
      'a cluster was born',
    )
    this.#follow(membership, false)
  }

  // Following it ------------------------------------------------------------------------------------------------------

  /** Works in an epoch from now on, unless it is in it, or beyond it. `isOurs`: this connector has just had it chosen. */
  #follow(membership: Membership, isOurs: boolean): void {
    const before = this.#epoch
    if (this.#isClosed || (before !== undefined && !isNewer(membership, before.membership))) return
    if (before === undefined) this.#reportTimes(membership)
    const client = this.#newClient(quorumsOfMembership(membership), nodesOfEpoch(membership), membership)
    const transfer = isJoint(membership) ? this.#newTransfer(membership, client, isOurs) : undefined
    this.#epoch = { membership, client, transfer }
    const { clusterId, epoch, members } = membership
    const { logger } = this.#options
    logger.info({ clusterId, epoch, members, outgoing: membership.outgoing }, 'following the cluster')
    if (before === undefined) return
    before.transfer?.close()
    before.client.retire(client)
    for (const member of nodesOfEpoch(before.membership)) {
      if (isMemberOf(membership, member.nodeId)) continue
      const address = this.#directory.addressOf(member)
      this.#formerAddresses.add(address)
      logger.info({ node: member.nodeId, address, epoch }, 'this node is no longer a member')
      void this.#tellRemoved(member.nodeId, address)
    }
  }

  /** The grace time is the cluster's: connectors that disagreed about it would lose each other's writes. */
  #reportTimes({ tombstoneGraceMs }: Membership): void {
    const { operationTimeoutMs, tombstoneGraceMs: set, logger } = this.#options
    if (set !== tombstoneGraceMs) {
      logger.warn(
        { tombstoneGraceSeconds: tombstoneGraceMs / 1_000, setSeconds: set / 1_000 },
        'TOMBSTONE_GRACE is what a cluster is born with: this one has another, which is used',
      )
    }
    const longestMs = tombstoneGraceMs / TIMEOUTS_PER_GRACE
    if (operationTimeoutMs > longestMs) {
      logger.warn(
        { timeoutSeconds: longestMs / 1_000, setSeconds: operationTimeoutMs / 1_000 },
        "TIMEOUT is above a tenth of this cluster's grace time of tombstones: operations end after that tenth",
      )
    }
  }

  #newTransfer(membership: Membership, client: RegisterClient, isEager: boolean): TransferDriver {
    const { clock, logger } = this.#options
    return new TransferDriver({
      membership,
      client,
      nodes: nodesOfEpoch(membership).map((member, index) => ({
        transport: this.#directory.transportOf(member),
        link: client.links[index]!,
      })),
      clock,
      logger,
      owner: this.#self,
      isEager,
      countKeys: () => this.#countKeys(membership),
      onFinished: (next) => this.#follow(next, true),
    })
  }

  async #countKeys({ outgoing = [] }: Membership): Promise<number> {
    const sightings = await this.#directory.look(outgoing.map((member) => this.#directory.addressOf(member)))
    return Math.max(0, ...sightings.map(({ description }) => description.recordCount))
  }

  /** Looks whether the cluster has gone on without this connector, and whether its nodes are who and where they should be. */
  async #tend(epoch: Epoch): Promise<void> {
    const nowMs = this.#options.clock.nowMs()
    if (!this.#isWatching && nowMs - this.#watchedAtMs >= WATCH_MS) {
      this.#watchedAtMs = nowMs
      void this.#watch(epoch)
    }
    const isMissing = epoch.client.links.some((link) => !link.isReachable)
    if (!isMissing && nowMs - this.#lookedAtMs < LOOK_MS) return
    this.#lookedAtMs = nowMs
    await this.#lookAround(epoch)
  }

  async #watch({ client }: Epoch): Promise<void> {
    this.#isWatching = true
    const membership = await readMembership(client)
    this.#isWatching = false
    if (membership !== undefined) this.#follow(membership, false)
  }

  async #lookAround({ membership, client }: Epoch): Promise<void> {
    const nodes = nodesOfEpoch(membership)
    const reachable = new Set(client.links.filter((link) => link.isReachable).map(({ nodeId }) => nodeId))
    const addressOf = (member: Member) => this.#directory.addressOf(member)
    const inUse = nodes.filter(({ nodeId }) => reachable.has(nodeId)).map(addressOf)
    const { hosts } = this.#options
    const places = [
      ...nodes.map(addressOf),
      ...nodes.map(({ address }) => address),
      ...hosts,
      ...this.#formerAddresses,
    ]
    const sightings = await this.#directory.look(places.filter((place) => !inUse.includes(place)))
    if (this.#isClosed || this.#epoch?.client !== client) return
    const { newer, moved, removed, lostDisks } = observe(
      { membership, reachable, hosts, addressOf },
      sightings,
    )
    for (const { nodeId, address } of moved) this.#directory.noteAddress(nodeId, address)
    for (const { nodeId, address } of removed) void this.#tellRemoved(nodeId, address)
    if (newer !== undefined) this.#follow(newer, false)
    else await this.#onLostDisks(lostDisks)
  }

  // Lost disks, and nodes that are members no more ---------------------------------------------------------------------

  async #onLostDisks(finding: LostDiskFinding): Promise<void> {
    const { logger } = this.#options
    const loss = finding.kind === 'beyond repair' ? finding.reason : undefined
    if (loss !== undefined && loss !== this.#loss) logger.error(`${loss}.`)
    this.#loss = loss
    const lost = finding.kind === 'replaceable' ? finding.lost : undefined
    const isSure =
      lost !== undefined &&
      lost.member.nodeId === this.#suspectedLoss?.member.nodeId &&
      lost.newcomer.nodeId === this.#suspectedLoss.newcomer.nodeId
    this.#suspectedLoss = lost
    if (!isSure) return
    this.#suspectedLoss = undefined
    const { member, newcomer } = lost
    const fields = { node: member.nodeId, newNode: newcomer.nodeId, address: newcomer.address }
    logger.warn(fields, 'a member has lost its disk: the empty node in its place becomes a member instead')
    const result = await this.changes.replace(member.nodeId, newcomer.address)
    if (result.kind !== 'accepted') logger.warn({ ...fields, ...result }, 'the replacement was not begun')
  }

  async #tellRemoved(nodeId: string, address: string): Promise<void> {
    const membership = this.#epoch?.membership
    if (membership === undefined) return
    await tellRemoved(this.#directory.transportTo(address), nodeId, membership, this.#options.clock)
  }

  /** A node did not act on what was meant for a member: another is there, or it knows another epoch. */
  #onMismatch(expected: Member, { nodeId, membership }: Mismatch): void {
    const ours = this.#epoch?.membership
    const address = this.#directory.addressOf(expected)
    if (ours !== undefined && membership?.clusterId === ours.clusterId) {
      // Not from within the link that reports it, which this may close.
      if (membership.epoch > ours.epoch) this.#options.clock.defer(() => this.#follow(membership, false))
      else if (!isMemberOf(ours, nodeId)) void this.#tellRemoved(nodeId, address)
      if (membership.epoch > ours.epoch || nodeId === expected.nodeId) return
      // Who lost its disk is leaving, and who joins in its place answers at its address.
      if (has(ours.members, { nodeId }) && !has(ours.members, expected)) return
    }
    this.#mismatches.report({ ...expected, address }, { nodeId, membership })
  }

  // Links -------------------------------------------------------------------------------------------------------------

  #newClient(quorums: Quorums, nodes: readonly Member[], membership: Membership | undefined): RegisterClient {
    const { clock, counters, onDivergence } = this.#options
    const tombstoneGraceMs = membership?.tombstoneGraceMs ?? this.#options.tombstoneGraceMs
    const operationTimeoutMs = Math.min(
      this.#options.operationTimeoutMs,
      tombstoneGraceMs / TIMEOUTS_PER_GRACE,
    )
    const { viewAgeMsMax, linkLimits } = livesWithin(tombstoneGraceMs)
    return new RegisterClient(
      {
        proposerId: drawProposerId(),
        quorums,
        rules: RULES,
        clock,
        random: Math.random,
        operationTimeoutMs,
        memoriesMax: MEMORIES_MAX,
        viewAgeMsMax,
        counters,
        onDivergence,
      },
      (index, onChange) => {
        const member = nodes[index]!
        return new NodeLink({
          transport: () => this.#directory.transportOf(member),
          nodeId: member.nodeId,
          membership,
          clock,
          limits: linkLimits,
          counters,
          onChange: () => {
            onChange()
            this.#logChange(member)
          },
          onMismatch: (mismatch) => {
            // A birth that another connector finished first: the next search finds its membership.
            if (membership !== undefined) this.#onMismatch(member, mismatch)
          },
        })
      },
    )
  }

  #logChange(member: Member): void {
    const link = this.#epoch?.client.links.find(({ nodeId }) => nodeId === member.nodeId)
    if (link === undefined) return
    const { isReachable: reachable, isSuspect: suspect } = link
    const address = this.#directory.addressOf(member)
    this.#options.logger.debug({ node: member.nodeId, address, reachable, suspect }, 'a node changed')
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.after(DISCOVERY_PAUSE_MS, resolve)
    })
  }
}

function isNewer(a: Membership, b: Membership): boolean {
  return a.clusterId === b.clusterId && a.epoch > b.epoch
}

function has(members: readonly Member[], { nodeId }: Pick<Member, 'nodeId'>): boolean {
  return members.some((member) => member.nodeId === nodeId)
}
