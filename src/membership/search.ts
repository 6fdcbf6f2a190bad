/** Finds the cluster to which the hosts belong, or creates a new one on them. */
import type { Membership } from '../rpc/messages.ts'
import { giveBirth } from './birth.ts'
import { type Discovery, discover, furtherAddresses } from './discovery.ts'
import { type EpochOptions, openBirth } from './epoch.ts'

export type SearchOptions = EpochOptions &
  Readonly<{
    /** Where to look, as host:port. */
    hosts: readonly string[]
    /** The grace time of a new cluster. A cluster that is found keeps its own. */
    tombstoneGraceMs: number
    /** The only cluster that may be found. `undefined`: any, also a new one. */
    clusterId: string | undefined
    /** Makes a unique id for a cluster. */
    drawId: () => string
    /** Draws the secret of a new cluster, in 16 hexadecimal digits. */
    drawSecret: () => string
    /** When it aborts, the connector stops, and nothing more begins. */
    signal: AbortSignal
  }>

export class Search {
  readonly #options: SearchOptions
  #reason: string | undefined
  /** Clusters whose data this connector has seen at its hosts. */
  readonly #seen = new Set<string>()

  constructor(options: SearchOptions) {
    this.#options = options
  }

  /** Why the cluster has not been found, as a sentence without its full stop. */
  get reason(): string {
    return this.#reason ?? 'its hosts are being asked'
  }

  /**
   * Asks all hosts once. `undefined`: no cluster was found or created; `reason` says why.
   */
  async look(): Promise<Membership | undefined> {
    const { hosts, directory, clusterId, signal } = this.#options
    const sightings = await directory.look(hosts)
    const further = furtherAddresses(hosts, sightings)
    const found = discover(
      hosts,
      further.length === 0 ? sightings : [...sightings, ...(await directory.look(further))],
      clusterId,
    )
    if (signal.aborted) return undefined
    for (const { description } of sightings)
      if (description.membership !== undefined) this.#seen.add(description.membership.clusterId)
    switch (found.kind) {
      case 'found':
        return this.#enter(found)
      case 'birth':
        if (this.#seen.size === 0) return this.#birth(found)
        this.#wait({ kind: 'another cluster', reason: noSecondBirth([...this.#seen]) })
        return undefined
      case 'lost':
      case 'another cluster':
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
    const { tombstoneGraceMs, drawId, drawSecret, logger, signal } = this.#options
    const client = openBirth(members, tombstoneGraceMs, this.#options)
    // A closed client answers at once.
    const close = () => client.close()
    signal.addEventListener('abort', close)
    const membership = await giveBirth(client, {
      clusterId: drawId(),
      epoch: 1,
      members,
      tombstoneGraceMs,
      hashSecret: drawSecret(),
    })
    signal.removeEventListener('abort', close)
    close()
    if (signal.aborted) return undefined
    if (membership === undefined) {
      const addresses = members.map(({ address }) => address).join(', ')
      const reason = `not all of the new nodes at ${addresses} agreed in time to start a cluster: see their logs`
      this.#wait({ kind: 'wait', reason })
      return undefined
    }
    const { clusterId } = membership
    logger.info(
      { clusterId, members: membership.members },
      'a cluster was born: set CLUSTER_ID to its id, so that no other one can take its place',
    )
    return membership
  }

  /** Logs each reason only once. */
  #wait({ kind, reason }: Extract<Discovery, { kind: 'lost' | 'another cluster' | 'wait' }>): void {
    if (reason === this.#reason) return
    this.#reason = reason
    const { hosts, logger } = this.#options
    if (kind === 'wait') logger.warn({ hosts, reason }, 'waiting for nodes')
    else logger.error({ hosts }, `${reason}.`)
  }
}

/** The reason if all hosts are empty, but some held data before, so that their disks are missing. */
function noSecondBirth(clusterIds: readonly string[]): string {
  const which =
    clusterIds.length === 1 ? `the cluster ${clusterIds[0]}` : `the clusters ${clusterIds.join(' and ')}`
  return `the hosts are empty nodes, but held data of ${which} since this connector started, so no new cluster is started: mount their data directories, or restart this connector if you want a new cluster`
}
