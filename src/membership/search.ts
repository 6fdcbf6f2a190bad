/** Finds the cluster that the hosts belong to, or has a new one born on them. */
import type { Membership } from '../rpc/messages.ts'
import { giveBirth } from './birth.ts'
import { type Discovery, discover, furtherAddresses } from './discovery.ts'
import { type EpochOptions, openBirth } from './epoch.ts'

export type SearchOptions = EpochOptions &
  Readonly<{
    /** Where to look, as host:port. */
    hosts: readonly string[]
    /** The grace time of a cluster that is born; a cluster that is found has its own. */
    tombstoneGraceMs: number
    /** Draws an id for a cluster, which no other cluster has. */
    drawId: () => string
    /** The connector stops: nothing more is begun. */
    signal: AbortSignal
  }>

export class Search {
  readonly #options: SearchOptions
  #reason: string | undefined

  constructor(options: SearchOptions) {
    this.#options = options
  }

  /** Why the cluster has not been found, as a sentence without its full stop. */
  get reason(): string {
    return this.#reason ?? 'its hosts are being asked'
  }

  /**
   * Asks all hosts once. `undefined`: the cluster is not found yet, and has not been born; `reason` says why.
   */
  async look(): Promise<Membership | undefined> {
    const { hosts, directory, signal } = this.#options
    const sightings = await directory.look(hosts)
    const further = furtherAddresses(hosts, sightings)
    const found = discover(
      hosts,
      further.length === 0 ? sightings : [...sightings, ...(await directory.look(further))],
    )
    if (signal.aborted) return undefined
    switch (found.kind) {
      case 'found':
        return this.#enter(found)
      case 'birth':
        return this.#birth(found)
      case 'lost':
      case 'wait':
        this.#wait(found)
        return undefined
      default:
        return found satisfies never
    }
  }

  #enter({ membership, addresses, strays }: Extract<Discovery, { kind: 'found' }>): Membership {
    const { directory, logger } = this.#options
    for (const [nodeId, address] of addresses) directory.noteAddress(nodeId, address)
    if (strays.length > 0) {
      logger.error(
        { clusterId: membership.clusterId, hosts: strays },
        'these hosts hold the data of another cluster and are not used: take them out of HOSTS',
      )
    }
    return membership
  }

  async #birth({ members }: Extract<Discovery, { kind: 'birth' }>): Promise<Membership | undefined> {
    const { tombstoneGraceMs, drawId, logger, signal } = this.#options
    const client = openBirth(members, tombstoneGraceMs, this.#options)
    const membership = await giveBirth(client, {
      clusterId: drawId(),
      epoch: 1,
      members,
      tombstoneGraceMs,
    })
    client.close()
    if (membership === undefined || signal.aborted) return undefined
    const { clusterId } = membership
    logger.info({ clusterId, members: membership.members }, 'a cluster was born')
    return membership
  }

  /** Logs each reason once, not with every look. */
  #wait({ kind, reason }: Extract<Discovery, { kind: 'lost' | 'wait' }>): void {
    if (reason === this.#reason) return
    this.#reason = reason
    const { hosts, logger } = this.#options
    if (kind === 'lost') logger.error({ hosts }, `${reason}.`)
    else logger.warn({ hosts, reason }, 'waiting for nodes')
  }
}
