/**
 * The cluster that one connector follows. This class connects the parts and runs them: `search.ts` finds the
 * cluster, `epochs.ts` follows it from one epoch to the next, `survey.ts` and `disks.ts` watch its nodes.
 */
import { sleep } from '../process/clock.ts'
import { TIMEOUTS_PER_GRACE } from '../register/grace-time.ts'
import type { RegisterClient } from '../replication/register-client.ts'
import type { Description, Membership } from '../rpc/messages.ts'
import type { Connect } from '../rpc/transport.ts'
import { ChangeMembers } from './change-members.ts'
import type { ClusterSnapshot } from './cluster-snapshot.ts'
import { Disks } from './disks.ts'
import { type EpochOptions, operationTimeoutWithin } from './epoch.ts'
import type { EpochNode } from './epoch-node.ts'
import { Epochs } from './epochs.ts'
import { Farewells } from './farewells.ts'
import { NodeDirectory } from './node-directory.ts'
import { type Seams, SHIPPED } from './seams.ts'
import { Search } from './search.ts'
import { Survey } from './survey.ts'
import { takeSnapshot } from './take-snapshot.ts'

export type ClusterOptions = Omit<EpochOptions, 'directory' | 'seams'> &
  Readonly<{
    /** The addresses where the nodes may be, as host:port. */
    hosts: readonly string[]
    /** The grace time of a new cluster. A cluster that is found keeps its own. */
    tombstoneGraceMs: number
    /** The time after which an empty node at the address of a member replaces that member. */
    replaceAfterMs: number
    /** The only cluster that this connector may serve. `undefined`: any, also a new one. */
    clusterId: string | undefined
    connect: Connect
    /** Makes a unique id. */
    drawId: () => string
    /** Draws the unpredictable secret of a new cluster, in 16 hexadecimal digits. */
    drawSecret: () => string
    /** The parts that a simulation replaces. Default: none. */
    seams?: Seams
  }>

/** The pause between two rounds of work, or of asking the hosts. */
const PAUSE_MS = 250

export class Cluster {
  /** Changes the membership on request. */
  readonly changes: ChangeMembers
  readonly #options: ClusterOptions
  readonly #directory: NodeDirectory
  readonly #search: Search
  readonly #epochs: Epochs
  readonly #disks: Disks
  readonly #survey: Survey
  readonly #closing = new AbortController()

  constructor(options: ClusterOptions) {
    const { hosts, connect, clock, logger, drawId, replaceAfterMs, seams = SHIPPED } = options
    const directory = new NodeDirectory(connect)
    const farewells = new Farewells(directory, clock)
    const epochs = new Epochs({
      ...options,
      seams,
      directory,
      farewells,
      self: drawId(),
      onClaim: () => this.#onClaim(),
    })
    const changes = new ChangeMembers({
      epoch: () => epochs.current,
      directory,
      requireSpare: seams.membership.requireSpare,
      onChosen: (membership, isOurs) => epochs.follow(membership, isOurs),
    })
    const disks = new Disks({
      replace: (nodeId, address) => changes.replace(nodeId, address),
      replaceAfterMs,
      clock,
      logger,
    })
    this.#options = options
    this.#directory = directory
    this.#epochs = epochs
    this.#disks = disks
    this.#search = new Search({ ...options, seams, directory, signal: this.#closing.signal })
    this.#survey = new Survey({ hosts, epochs, directory, farewells, disks, clock })
    this.changes = changes
  }

  /** `undefined` until the cluster is found. */
  get client(): RegisterClient | undefined {
    return this.#epochs.current?.client
  }

  get membership(): Membership | undefined {
    return this.#epochs.current?.membership
  }

  /** The nodes of the current epoch, in the order of `nodesOfEpoch`; none until the cluster is found. */
  get nodes(): readonly EpochNode[] {
    return this.#epochs.current?.nodes ?? []
  }

  /** The wait before each step of removing a tombstone. It was fixed when the cluster was created. */
  get tombstoneGraceMs(): number {
    return this.membership?.tombstoneGraceMs ?? this.#options.tombstoneGraceMs
  }

  /**
   * The longest time that an operation takes: the setting, or less if the grace time of the cluster is short.
   */
  get operationTimeoutMs(): number {
    return operationTimeoutWithin(this.tombstoneGraceMs, this.#options.operationTimeoutMs)
  }

  isReady(): boolean {
    return !this.#isClosed && this.client?.isQuorumReachable === true
  }

  /** What is known at this moment. */
  snapshot(): ClusterSnapshot {
    const { current, transferProgress } = this.#epochs
    if (current !== undefined) {
      const { loss, pending } = this.#disks
      const nowMs = this.#options.clock.nowMs()
      return takeSnapshot(current, { progress: transferProgress, loss, pending, nowMs })
    }
    return { kind: 'searching', hosts: this.#options.hosts, reason: this.#search.reason }
  }

  /**
   * Asks the node at an address for its description. Rejects when it does not answer within `timeoutMs`.
   */
  describeNode(address: string, timeoutMs: number): Promise<Description> {
    return this.#directory.describe(address, timeoutMs)
  }

  /**
   * Replaces the connections to all nodes, one after the other, and loses no request. Call it when new
   * connections would show or trust other certificates.
   */
  async renewConnections(): Promise<void> {
    for (const node of this.nodes) {
      if (this.#isClosed) return
      this.#directory.renew(node.address)
      await node.link.renew()
    }
    const others = new Set(this.#directory.addresses)
    for (const { address } of this.nodes) others.delete(address)
    for (const address of others) this.#directory.renew(address)
  }

  /** Looks for the cluster until it is found, then watches its epoch and its nodes. Returns when closed. */
  async run(): Promise<void> {
    while (!this.#isClosed) {
      const epoch = this.#epochs.current
      if (epoch !== undefined) await this.#survey.tend(epoch)
      else await this.#find()
      await sleep(PAUSE_MS, this.#options.clock, this.#closing.signal)
    }
  }

  close(): void {
    this.#closing.abort()
    this.#epochs.close()
    this.#directory.close()
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted
  }

  #onClaim(): void {
    const epoch = this.#epochs.current
    if (epoch !== undefined && !this.#isClosed) this.#survey.readMembership(epoch)
  }

  async #find(): Promise<void> {
    const membership = await this.#search.look()
    if (membership === undefined) return
    this.#reportTimes(membership)
    this.#epochs.follow(membership, false)
  }

  /**
   * Logs settings that do not count here: the grace time of the cluster does, because all must use the same.
   */
  #reportTimes({ tombstoneGraceMs }: Membership): void {
    const { operationTimeoutMs, tombstoneGraceMs: set, logger } = this.#options
    if (set !== tombstoneGraceMs) {
      logger.warn(
        { tombstoneGraceSeconds: tombstoneGraceMs / 1_000, setSeconds: set / 1_000 },
        'TOMBSTONE_GRACE counts only for a new cluster: this cluster was created with another value, which is used',
      )
    }
    const longestMs = tombstoneGraceMs / TIMEOUTS_PER_GRACE
    if (operationTimeoutMs > longestMs) {
      logger.warn(
        { timeoutSeconds: longestMs / 1_000, setSeconds: operationTimeoutMs / 1_000 },
        'TIMEOUT is above a tenth of the grace time of this cluster: operations end after that tenth',
      )
    }
  }
}
