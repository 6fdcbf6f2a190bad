import { classicQuorum, isClassicQuorum } from '../register/quorum.ts'
import { nodesOfEpoch, quorumsOfMembership } from '../rpc/membership.ts'
import type { Member, Membership } from '../rpc/messages.ts'
import { findLostDisks } from './lost-disks.ts'
import type { Sighting } from './sighting.ts'

/** What a connector that has looked at its hosts does next. */
export type Discovery =
  /**
   * A classic quorum of this membership's nodes answered. `addresses` says where nodes were seen, by nodeId; `strays` are
   * those hosts that hold another cluster's data.
   */
  | Readonly<{
      kind: 'found'
      membership: Membership
      addresses: ReadonlyMap<string, string>
      strays: readonly string[]
    }>
  /** All hosts are new nodes: they may become a cluster. */
  | Readonly<{ kind: 'birth'; members: readonly Member[] }>
  /** Too many disks of a cluster are lost, and nothing will be known without them. `reason` is a sentence without its full stop. */
  | Readonly<{ kind: 'lost'; reason: string }>
  /** Not enough is known yet. `reason` is a sentence. */
  | Readonly<{ kind: 'wait'; reason: string }>

/**
 * Decides from what was seen which cluster this connector serves (protocol.md §7).
 *
 * Where hosts hold the data of several clusters, the one that most of them are of is meant: a node with foreign data must
 * lead nobody astray, although its own cluster may answer elsewhere. A membership counts only when a classic quorum of the
 * nodes it names answered by its name: without it nothing could be read or written anyway.
 */
export function discover(hosts: readonly string[], sightings: readonly Sighting[]): Discovery {
  const addresses = new Map(sightings.map(({ address, description }) => [description.nodeId, address]))
  const [meant, ...others] = clustersOf(hosts, sightings)
  const [other] = others
  if (meant !== undefined && other?.hosts.length === meant.hosts.length) {
    const reason = `HOSTS names nodes of different clusters, and as many of one as of the other: ${describeHosts([meant, other])}; name those of one alone`
    return { kind: 'wait', reason }
  }
  const silent = hosts.filter((host) => !sightings.some(({ address }) => address === host))
  const membership = newestMemberships(sightings).find(({ clusterId }) => clusterId === meant?.clusterId)
  if (membership !== undefined) {
    const seen = nodesOfEpoch(membership).reduce(
      (set, { nodeId }, index) => (addresses.has(nodeId) ? set | (1 << index) : set),
      0,
    )
    if (isClassicQuorum(seen, quorumsOfMembership(membership)))
      return { kind: 'found', membership, addresses, strays: others.flatMap((cluster) => cluster.hosts) }
    const lost = findLostDisks(membership, sightings, ({ address }) => address, hosts)
    if (lost.kind === 'beyond repair') return { kind: 'lost', reason: lost.reason }
    return { kind: 'wait', reason: waitForQuorum(membership, addresses, silent) }
  }
  if (silent.length === hosts.length) {
    const reason = `no node answers at ${silent.join(', ')}: start them, a quorum of them where the cluster exists already, and all where it is new`
    return { kind: 'wait', reason }
  }
  if (silent.length > 0) {
    const reason = `all ${hosts.length} hosts must be there for the birth of a cluster; no answer from ${silent.join(', ')}`
    return { kind: 'wait', reason }
  }
  if (addresses.size < hosts.length) {
    return { kind: 'wait', reason: 'two of the hosts are one and the same node: check HOSTS' }
  }
  const members = sightings.map(({ address, description }) => ({ nodeId: description.nodeId, address }))
  return { kind: 'birth', members }
}

/** Where else to ask: addresses that seen memberships name and nobody has asked yet. */
export function furtherAddresses(hosts: readonly string[], sightings: readonly Sighting[]): string[] {
  const named = newestMemberships(sightings)
    .flatMap(nodesOfEpoch)
    .map(({ address }) => address)
  return [...new Set(named)].filter((address) => !hosts.includes(address))
}

type ClusterOfHosts = Readonly<{ clusterId: string; hosts: readonly string[] }>

/** The clusters whose data hosts hold, the one of most hosts first. */
function clustersOf(hosts: readonly string[], sightings: readonly Sighting[]): ClusterOfHosts[] {
  const held = sightings.filter(
    ({ address, description }) => description.membership !== undefined && hosts.includes(address),
  )
  const groups = Map.groupBy(held, ({ description }) => description.membership!.clusterId)
  return [...groups]
    .map(([clusterId, seen]) => ({ clusterId, hosts: seen.map(({ address }) => address) }))
    .sort((a, b) => b.hosts.length - a.hosts.length)
}

function describeHosts(clusters: readonly ClusterOfHosts[]): string {
  return clusters.map(({ clusterId, hosts }) => `${hosts.join(' and ')} of ${clusterId}`).join(', ')
}

/** The membership of the highest epoch, of each cluster. */
function newestMemberships(sightings: readonly Sighting[]): Membership[] {
  const newest = new Map<string, Membership>()
  for (const { membership } of sightings.map(({ description }) => description)) {
    if (membership === undefined) continue
    const known = newest.get(membership.clusterId)
    if (known === undefined || membership.epoch > known.epoch) newest.set(membership.clusterId, membership)
  }
  return [...newest.values()]
}

function waitForQuorum(
  { clusterId, members }: Membership,
  addresses: ReadonlyMap<string, string>,
  silent: readonly string[],
): string {
  const seen = members.filter(({ nodeId }) => addresses.has(nodeId)).length
  const reason = `${seen} of ${members.length} nodes of cluster ${clusterId} answered, ${classicQuorum(members.length)} are needed`
  return silent.length === 0 ? reason : `${reason}; no answer from ${silent.join(', ')}`
}
