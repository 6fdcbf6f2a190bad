/**
 * The cluster as one connector knows it: finds it (or lets it be born), keeps links to its nodes, and says how they
 * are.
 */
import type { Logger } from 'pino'
import { classicQuorum, type Quorums, quorumsOf, unanimousQuorums } from '../register/quorum.ts'
import { RULES } from '../register/rules.ts'
import type { Description, Membership, Mismatch } from '../rpc/messages.ts'
import type { Connect, NodeTransport } from '../rpc/transport.ts'
import { giveBirth } from './birth.ts'
import type { Clock } from './clock.ts'
import type { Counters } from './counters.ts'
import { discover, type Finding, furtherAddresses, type Sighting } from './discovery.ts'
import type { Replica } from './divergence.ts'
import type { ClusterView } from './http/cluster-view.ts'
import { livesWithin } from './lives.ts'
import { NodeLink } from './node-link.ts'
import { drawProposerId } from './proposer-id.ts'
import { MEMORIES_MAX, RegisterClient } from './register-client.ts'
import type { ClusterSnapshot } from './status/cluster-snapshot.ts'

export type ClusterOptions = Readonly<{
  hosts: readonly string[]
  operationTimeoutMs: number
  tombstoneGraceMs: number
  connect: Connect
  clock: Clock
  logger: Logger
  counters: Counters
  /** Told of nodes that contradict each other about a key. */
  onDivergence: (key: string, replicas: readonly Replica[]) => void
}>

/** How long a node may take to say who it is, and how long to wait before hosts are asked again. */
const DESCRIBE_TIMEOUT_MS = 1_000
const DISCOVERY_PAUSE_MS = 250

export class Cluster implements ClusterView {
  readonly #options: ClusterOptions
  readonly #transports = new Map<string, NodeTransport>()
  /** Where each node was last seen, by nodeId; before that, where its membership says it is. */
  readonly #addresses = new Map<string, string>()
  #membership: Membership | undefined
  #client: RegisterClient | undefined
  #isClosed = false
  /** What was last logged of the search, and of each node that is not who it should be: said once, not on every try. */
  #lastReason: string | undefined
  readonly #reportedMismatches = new Set<string>()

  constructor(options: ClusterOptions) {
    this.#options = options
  }

  /** `undefined` until the cluster is found. */
  get client(): RegisterClient | undefined {
    return this.#client
  }

  get membership(): Membership | undefined {
    return this.#membership
  }

  /** The transports to the members, in the order of the membership. */
  get memberTransports(): readonly NodeTransport[] {
    return (this.#membership?.members ?? []).map(({ nodeId }) => this.#transportOf(nodeId))
  }

  isReady(): boolean {
    if (this.#client === undefined || this.#isClosed) return false
    return this.#client.isQuorumReachable
  }

  /** What is known at this moment. */
  snapshot(): ClusterSnapshot {
    const links = this.#client?.links
    if (this.#membership === undefined || links === undefined) {
      const reason = this.#lastReason ?? 'its hosts are being asked'
      return { kind: 'searching', hosts: this.#options.hosts, reason }
    }
    const { clusterId, epoch, members } = this.#membership
    return {
      kind: 'found',
      clusterId,
      epoch,
      quorum: classicQuorum(members.length),
      isQuorumReachable: this.#client!.isQuorumReachable,
      members: members.map(({ nodeId }, index) => ({
        nodeId,
        address: this.#addresses.get(nodeId)!,
        link: links[index]!,
        role: 'voting',
        progress: undefined,
      })),
      change: undefined,
    }
  }

  /** Asks the node at an address who it is and what it holds. Rejects when it does not answer within `timeoutMs`. */
  describeNode(address: string, timeoutMs: number): Promise<Description> {
    return this.#transportTo(address).describe(timeoutMs)
  }

  /** Looks for the cluster until it is found, then keeps an eye on nodes that are missing. Returns when closed. */
  async run(): Promise<void> {
    while (!this.#isClosed) {
      if (this.#client === undefined) await this.#search()
      else if (this.#client.links.some((link) => !link.isReachable)) await this.#lookForMissing()
      await this.#pause()
    }
  }

  close(): void {
    this.#isClosed = true
    this.#client?.close()
    for (const transport of this.#transports.values()) transport.close()
  }

  async #search(): Promise<void> {
    const { hosts, logger } = this.#options
    const sightings = await this.#look(hosts)
    const further = furtherAddresses(hosts, sightings)
    const finding = discover(
      hosts,
      further.length === 0 ? sightings : [...sightings, ...(await this.#look(further))],
    )
    if (this.#isClosed) return
    if (finding.kind === 'found') this.#follow(finding.membership, finding.addresses)
    else if (finding.kind === 'birth') await this.#birth(finding)
    else if (finding.reason !== this.#lastReason) {
      this.#lastReason = finding.reason
      logger.warn({ hosts, reason: finding.reason }, 'waiting for nodes')
    }
  }

  async #birth({ members }: Extract<Finding, { kind: 'birth' }>): Promise<void> {
    for (const { nodeId, address } of members) this.#addresses.set(nodeId, address)
    const nodeIds = members.map(({ nodeId }) => nodeId)
    const client = this.#newClient(unanimousQuorums(members.length), nodeIds, undefined)
    const membership = await giveBirth(client, members)
    client.close()
    if (membership === undefined || this.#isClosed) return
    this.#options.logger.info(
      { clusterId: membership.clusterId, members: membership.members },
      'a cluster was born',
    )
    this.#follow(membership, new Map())
  }

  #follow(membership: Membership, addresses: ReadonlyMap<string, string>): void {
    for (const { nodeId, address } of membership.members) {
      this.#addresses.set(nodeId, addresses.get(nodeId) ?? address)
    }
    const nodeIds = membership.members.map(({ nodeId }) => nodeId)
    this.#membership = membership
    this.#client = this.#newClient(quorumsOf(nodeIds.length), nodeIds, membership)
    const { clusterId, epoch } = membership
    this.#options.logger.info({ clusterId, epoch, members: membership.members }, 'following the cluster')
  }

  /** A member that was down may come back at another of the hosts than the one its membership names. */
  async #lookForMissing(): Promise<void> {
    const links = this.#client!.links
    const inUse = links.filter((link) => link.isReachable).map((link) => this.#addresses.get(link.nodeId))
    for (const { address, description } of await this.#look(
      this.#options.hosts.filter((host) => !inUse.includes(host)),
    )) {
      const isMember = links.some((link) => link.nodeId === description.nodeId && !link.isReachable)
      if (isMember) this.#addresses.set(description.nodeId, address)
    }
  }

  #newClient(
    quorums: Quorums,
    nodeIds: readonly string[],
    membership: Membership | undefined,
  ): RegisterClient {
    const { clock, counters, onDivergence, operationTimeoutMs, tombstoneGraceMs } = this.#options
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
        const nodeId = nodeIds[index]!
        return new NodeLink({
          transport: () => this.#transportOf(nodeId),
          nodeId,
          membership,
          clock,
          limits: linkLimits,
          counters,
          onChange: () => {
            onChange()
            this.#logChange(nodeId)
          },
          onMismatch: (mismatch) => {
            // A birth that another connector finished first: the next search finds its membership.
            if (membership !== undefined) this.#reportMismatch(nodeId, mismatch)
          },
        })
      },
    )
  }

  #logChange(nodeId: string): void {
    const link = this.#client?.links.find((candidate) => candidate.nodeId === nodeId)
    if (link === undefined) return
    const { isReachable: reachable, isSuspect: suspect } = link
    const fields = { node: nodeId, address: this.#addresses.get(nodeId), reachable, suspect }
    this.#options.logger.debug(fields, 'a node changed')
  }

  #reportMismatch(nodeId: string, mismatch: Mismatch): void {
    const address = this.#addresses.get(nodeId)
    const found = `${mismatch.nodeId} ${mismatch.membership?.clusterId} ${mismatch.membership?.epoch}`
    const report = `${nodeId} ${address} ${found}`
    if (this.#reportedMismatches.has(report)) return
    this.#reportedMismatches.add(report)
    const { clusterId, epoch } = mismatch.membership ?? {}
    this.#options.logger.error(
      { node: nodeId, address, foundNode: mismatch.nodeId, foundCluster: clusterId, foundEpoch: epoch },
      'the node at this address is not the expected member, or belongs to another cluster: it is not used, and its data ' +
        'are left alone. Start it with the data directory of this cluster',
    )
  }

  #transportOf(nodeId: string): NodeTransport {
    return this.#transportTo(this.#addresses.get(nodeId)!)
  }

  #transportTo(address: string): NodeTransport {
    const known = this.#transports.get(address)
    if (known !== undefined) return known
    const transport = this.#options.connect(address)
    this.#transports.set(address, transport)
    return transport
  }

  /** Asks every address who is there. Silence is no sighting. */
  async #look(addresses: readonly string[]): Promise<Sighting[]> {
    const asked = addresses.map(async (address) => {
      const description = await this.#transportTo(address).describe(DESCRIBE_TIMEOUT_MS)
      return { address, description }
    })
    const results = await Promise.allSettled(asked)
    return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.after(DISCOVERY_PAUSE_MS, resolve)
    })
  }
}
