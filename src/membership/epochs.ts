/** Follows the cluster from one epoch to the next, and owns the current epoch. */
import { isJoint, isMemberOf } from '../rpc/membership.ts'
import type { Member, Membership, Mismatch } from '../rpc/messages.ts'
import { type Claim, newestConfirmed } from './confirmation.ts'
import { type Epoch, type EpochOptions, openEpoch } from './epoch.ts'
import type { Farewells } from './farewells.ts'
import { MismatchLog } from './mismatch-log.ts'
import type { TransferProgress } from './transfer-claim.ts'
import { TransferDriver } from './transfer-driver.ts'

export type EpochsOptions = EpochOptions &
  Readonly<{
    /** The unique name of this connector. */
    self: string
    farewells: Farewells
    /** Called when a node says that it is in a newer epoch, and too few nodes have confirmed it so far. */
    onClaim: () => void
  }>

export class Epochs {
  readonly #options: EpochsOptions
  readonly #mismatches: MismatchLog
  #current: Epoch | undefined
  /** Set in a joint epoch. */
  #transfer: TransferDriver | undefined
  /** By the id of each node of this epoch: what was reported on its link about newer epochs. */
  readonly #claims = new Map<string, Claim>()
  #isClosed = false

  constructor(options: EpochsOptions) {
    this.#options = options
    this.#mismatches = new MismatchLog(options.logger)
  }

  /** `undefined` until the cluster is found. */
  get current(): Epoch | undefined {
    return this.#current
  }

  /** Whether this is still the epoch to work in. */
  isCurrent(epoch: Epoch): boolean {
    return !this.#isClosed && epoch === this.#current
  }

  /**
   * The progress of the change that is under way. `undefined`: there is no change, or it is not known yet.
   */
  get transferProgress(): TransferProgress | undefined {
    return this.#transfer?.progress
  }

  /**
   * Enters the epoch of a membership, unless the current epoch is the same or later.
   *
   * @param isOurs whether this connector has proposed that membership
   */
  follow(membership: Membership, isOurs: boolean): void {
    const before = this.#current
    if (this.#isClosed || (before !== undefined && !isNewer(membership, before.membership))) return
    const current = openEpoch(membership, this.#options, (node, mismatch) => this.#onMismatch(node, mismatch))
    this.#transfer?.close()
    this.#current = current
    this.#claims.clear()
    this.#transfer = isJoint(membership) ? this.#newTransfer(current, isOurs) : undefined
    const { clusterId, epoch, members, outgoing } = membership
    this.#options.logger.info({ clusterId, epoch, members, outgoing }, 'following the cluster')
    if (before === undefined) return
    before.client.retire(current.client)
    for (const { member, address } of before.nodes) {
      if (!isMemberOf(membership, member.nodeId)) this.#onLeft(member.nodeId, address, membership)
    }
  }

  close(): void {
    this.#isClosed = true
    this.#transfer?.close()
    this.#current?.client.close()
  }

  #onLeft(nodeId: string, address: string, membership: Membership): void {
    const { farewells, logger } = this.#options
    logger.info({ node: nodeId, address, epoch: membership.epoch }, 'this node is no longer a member')
    farewells.note(address)
    void farewells.tell(nodeId, address, membership)
  }

  #newTransfer({ membership, client, nodes }: Epoch, isEager: boolean): TransferDriver {
    const { clock, logger, self, seams } = this.#options
    return new TransferDriver({
      membership,
      client,
      nodes,
      rules: seams.membership,
      clock,
      logger,
      owner: self,
      isEager,
      countKeys: () => this.#countKeys(membership),
      onFinished: (next) => this.follow(next, true),
    })
  }

  async #countKeys({ outgoing = [] }: Membership): Promise<number> {
    const { directory } = this.#options
    const sightings = await directory.look(outgoing.map((member) => directory.addressOf(member)))
    return Math.max(0, ...sightings.map(({ description }) => description.recordCount))
  }

  /**
   * The node at the address of `expected` did not act on a batch: it is another node, or it is in another
   * epoch.
   */
  #onMismatch(expected: Member, { nodeId, membership }: Mismatch): void {
    const { directory, farewells } = this.#options
    const ours = this.#current?.membership
    const address = directory.addressOf(expected)
    if (ours !== undefined && membership?.clusterId === ours.clusterId) {
      if (membership.epoch > ours.epoch) return this.#onNewer(ours, expected, { nodeId, membership })
      if (!isMemberOf(ours, nodeId)) void farewells.tell(nodeId, address, ours)
      if (nodeId === expected.nodeId) return
      // A member that has lost its disk is leaving, and the joining node answers at its address.
      if (isIn(ours.members, nodeId) && !isIn(ours.members, expected.nodeId)) return
    }
    this.#mismatches.report({ ...expected, address }, { nodeId, membership })
  }

  /** Deferred, because following a membership closes the link that reports the claim. */
  #onNewer(ours: Membership, expected: Member, claim: Claim): void {
    const { clock, onClaim } = this.#options
    // Counted by link: a node that reports another name each time is still one node.
    this.#claims.set(expected.nodeId, claim)
    const newer = newestConfirmed(ours, [...this.#claims.values()])
    clock.defer(() => (newer === undefined ? onClaim() : this.follow(newer, false)))
  }
}

function isNewer(a: Membership, b: Membership): boolean {
  return a.clusterId === b.clusterId && a.epoch > b.epoch
}

function isIn(members: readonly Member[], nodeId: string): boolean {
  return members.some((member) => member.nodeId === nodeId)
}
