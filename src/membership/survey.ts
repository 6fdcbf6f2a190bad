/**
 * Watches the cluster that a connector follows: its newest epoch, the addresses of its nodes, and their
 * disks.
 */
import type { Clock } from '../process/clock.ts'
import { furtherAddresses } from './discovery.ts'
import type { Disks } from './disks.ts'
import type { Epoch } from './epoch.ts'
import type { Epochs } from './epochs.ts'
import type { Farewells } from './farewells.ts'
import { observe } from './look-around.ts'
import { readMembership } from './membership-register.ts'
import type { NodeDirectory } from './node-directory.ts'

/** How often nodes are looked for while all of them are reachable. */
const LOOK_MS = 5_000

/** How often the chosen membership is read. */
const READ_MS = 2_000

export type SurveyOptions = Readonly<{
  /** The addresses from the settings, as host:port. */
  hosts: readonly string[]
  epochs: Epochs
  directory: NodeDirectory
  farewells: Farewells
  disks: Disks
  clock: Clock
}>

export class Survey {
  readonly #options: SurveyOptions
  #lookedAtMs = Number.NEGATIVE_INFINITY
  #readAtMs = Number.NEGATIVE_INFINITY
  #isReading = false

  constructor(options: SurveyOptions) {
    this.#options = options
  }

  /**
   * Does the work that is due. Call it several times a second. While a node is missing, each call looks for
   * nodes.
   */
  async tend(epoch: Epoch): Promise<void> {
    const nowMs = this.#options.clock.nowMs()
    if (!this.#isReading && nowMs - this.#readAtMs >= READ_MS) {
      this.#readAtMs = nowMs
      void this.#read(epoch)
    }
    const isMissing = epoch.nodes.some(({ link }) => !link.isReachable)
    if (!isMissing && nowMs - this.#lookedAtMs < LOOK_MS) return
    this.#lookedAtMs = nowMs
    await this.#look(epoch)
  }

  /** Reads the chosen membership at once, because a node says that it is in a newer epoch. */
  readMembership(epoch: Epoch): void {
    if (!this.#isReading) void this.#read(epoch)
  }

  /** Reads the chosen membership, because another connector may have changed it. */
  async #read({ client }: Epoch): Promise<void> {
    this.#isReading = true
    const membership = await readMembership(client)
    this.#isReading = false
    if (membership !== undefined) this.#options.epochs.follow(membership, false)
  }

  /** Asks every address where a node without a working link may be. */
  async #look(epoch: Epoch): Promise<void> {
    const { hosts, epochs, directory, farewells, disks } = this.#options
    const { membership, nodes } = epoch
    const linked = nodes.filter(({ link }) => link.isReachable)
    const reachable = new Set(linked.map(({ nodeId }) => nodeId))
    const inUse = new Set(linked.map(({ address }) => address))
    const places = [
      ...nodes.flatMap(({ address, member }) => [address, member.address]),
      ...hosts,
      ...farewells.addresses,
    ]
    const asked = places.filter((place) => !inUse.has(place))
    const seen = await directory.look(asked)
    // Nodes of a newer epoch name other nodes, which may confirm that epoch.
    const ahead = seen.filter(({ description }) => (description.membership?.epoch ?? 0) > membership.epoch)
    const named = furtherAddresses([...asked, ...inUse], ahead)
    // Nodes of this epoch may have voted for that membership.
    const further = ahead.length === 0 ? [] : [...inUse, ...named]
    const sightings = further.length === 0 ? seen : [...seen, ...(await directory.look(further))]
    if (!epochs.isCurrent(epoch)) return
    const { newer, moved, removed, lostDisks } = observe(
      { membership, reachable, hosts, addressOf: (member) => directory.addressOf(member) },
      sightings,
    )
    for (const { nodeId, address } of moved) directory.noteAddress(nodeId, address)
    for (const { nodeId, address } of removed) void farewells.tell(nodeId, address, membership)
    if (newer !== undefined) epochs.follow(newer, false)
    else await disks.observe(lostDisks)
  }
}
