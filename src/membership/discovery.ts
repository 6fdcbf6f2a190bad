import { classicQuorum, isClassicQuorum } from '../register/quorum.ts'
import { nodesOfEpoch, quorumsOfMembership } from '../rpc/membership.ts'
import type { Description, Member, Membership } from '../rpc/messages.ts'
import { type Claim, claimOf, isConfirmed, isSameMembership } from './confirmation.ts'
import { findLostDisks } from './lost-disks.ts'
import type { Sighting } from './sighting.ts'

/** What a connector that has looked at its hosts does next. */
export type Discovery =
  /**
   * A classic quorum of the nodes of this membership has answered. `addresses` says where nodes were seen, by
   * nodeId. `strays` are the hosts that hold data of another cluster.
   */
  | Readonly<{
      kind: 'found'
      membership: Membership
      addresses: ReadonlyMap<string, string>
      strays: readonly string[]
    }>
  /** All hosts are new nodes: they may become a cluster. */
  | Readonly<{ kind: 'birth'; members: readonly Member[] }>
  /**
   * Too many disks of the cluster are lost, so it cannot be known what was decided. `reason` is a sentence
   * without its full stop.
   */
  | Readonly<{ kind: 'lost'; reason: string }>
  /**
   * The hosts do not hold the data of the cluster that CLUSTER_ID names. `reason` is a sentence without its
   * full stop.
   */
  | Readonly<{ kind: 'another cluster'; reason: string }>
  /** Not enough is known yet. `reason` is a sentence. */
  | Readonly<{ kind: 'wait'; reason: string }>

/**
 * Decides from the nodes that were seen which cluster this connector serves (protocol.md §7).
 *
 * If hosts hold the data of several clusters, the connector serves the cluster of most hosts, so that a
 * single node with the data of another cluster cannot mislead it. A membership counts only if a classic
 * quorum of the nodes that it names has answered: without a quorum, nothing could be read or written.
 *
 * @param pinned the only cluster that may be served, by CLUSTER_ID. `undefined`: any, also a new one
 */
export function discover(
  hosts: readonly string[],
  sightings: readonly Sighting[],
  pinned?: string,
): Discovery {
  const addresses = new Map(sightings.map(({ address, description }) => [description.nodeId, address]))
  const clusters = clustersOf(hosts, sightings)
  if (pinned !== undefined) {
    const strays = clusters.filter(({ clusterId }) => clusterId !== pinned)
    if (strays.length === clusters.length) return notThere(pinned, hosts, sightings, strays)
    const silent = hosts.filter((host) => !sightings.some(({ address }) => address === host))
    const surroundings = { addresses, silent, strays: strays.flatMap((cluster) => cluster.hosts) }
    return discoverCluster(pinned, hosts, sightings, surroundings)
  }
  const [meant, ...others] = clusters
  const [other] = others
  if (meant !== undefined && other?.hosts.length === meant.hosts.length) {
    const reason = `HOSTS names nodes of different clusters, and as many of one as of the other: ${describeHosts([meant, other])}; name only the nodes of one cluster`
    return { kind: 'wait', reason }
  }
  const silent = hosts.filter((host) => !sightings.some(({ address }) => address === host))
  if (meant !== undefined) {
    const strays = others.flatMap((cluster) => cluster.hosts)
    return discoverCluster(meant.clusterId, hosts, sightings, { addresses, silent, strays })
  }
  if (silent.length === hosts.length) {
    const reason = `no node answers at ${silent.join(', ')}: start a quorum of them, or all of them if the cluster is new`
    return { kind: 'wait', reason }
  }
  if (silent.length > 0) {
    const reason = `all ${hosts.length} hosts must answer before a new cluster can start; no answer from ${silent.join(', ')}`
    return { kind: 'wait', reason }
  }
  if (addresses.size < hosts.length) {
    return { kind: 'wait', reason: 'two of the hosts are the same node: check HOSTS' }
  }
  const members = sightings.map(({ address, description }) => ({ nodeId: description.nodeId, address }))
  return { kind: 'birth', members }
}

/** No host holds data of the cluster that CLUSTER_ID names. The connector uses no host. */
function notThere(
  pinned: string,
  hosts: readonly string[],
  sightings: readonly Sighting[],
  strays: readonly ClusterOfHosts[],
): Discovery {
  const silent = hosts.filter((host) => !sightings.some(({ address }) => address === host))
  const unheard = silent.length === 0 ? '' : `; no answer from ${silent.join(', ')}`
  if (strays.length > 0) {
    const reason = `CLUSTER_ID is ${pinned}, but the hosts hold the data of another cluster, and are not used: ${describeHosts(strays)}${unheard}`
    return { kind: 'another cluster', reason }
  }
  if (silent.length === hosts.length) {
    const reason = `no node answers at ${silent.join(', ')}: start a quorum of the nodes of the cluster ${pinned}`
    return { kind: 'wait', reason }
  }
  const empty = hosts.filter((host) => !silent.includes(host))
  const reason = `CLUSTER_ID is ${pinned}, but the nodes at ${empty.join(', ')} are empty, and no new cluster is started: mount their data directories, or leave CLUSTER_ID out if you want a new cluster${unheard}`
  return { kind: 'another cluster', reason }
}

type Surroundings = Readonly<{
  /** Where nodes were seen, by nodeId. */
  addresses: ReadonlyMap<string, string>
  /** Hosts that do not answer. */
  silent: readonly string[]
  strays: readonly string[]
}>

/** Decides in which membership of this cluster to work. */
function discoverCluster(
  clusterId: string,
  hosts: readonly string[],
  sightings: readonly Sighting[],
  { addresses, silent, strays }: Surroundings,
): Discovery {
  const memberships = membershipsOf(clusterId, sightings)
  const membership = believable(
    memberships,
    hosts,
    sightings.map(({ description }) => claimOf(description)),
  )
  if (membership === undefined) return { kind: 'wait', reason: waitForTruth(clusterId, sightings, silent) }
  // A node that is in a newer epoch does not act on requests of this epoch.
  const ahead = new Set(
    sightings
      .filter(
        ({ description }) => isIn(clusterId, description) && description.membership.epoch > membership.epoch,
      )
      .map(({ description }) => description.nodeId),
  )
  const present = nodesOfEpoch(membership).map(({ nodeId }) => addresses.has(nodeId) && !ahead.has(nodeId))
  const seen = present.reduce((set, isPresent, index) => (isPresent ? set | (1 << index) : set), 0)
  if (isClassicQuorum(seen, quorumsOfMembership(membership)))
    return { kind: 'found', membership, addresses, strays }
  const lost = findLostDisks(membership, sightings, ({ address }) => address, hosts)
  if (lost.kind === 'beyond repair') return { kind: 'lost', reason: lost.reason }
  if (ahead.size > 0) return { kind: 'wait', reason: waitForTruth(clusterId, sightings, silent) }
  return { kind: 'wait', reason: waitForQuorum(membership, addresses, silent) }
}

/** The addresses that the memberships of answering nodes name, and that were not asked yet. */
export function furtherAddresses(hosts: readonly string[], sightings: readonly Sighting[]): string[] {
  const named = sightings
    .flatMap(({ description: { membership } }) => (membership === undefined ? [] : nodesOfEpoch(membership)))
    .map(({ address }) => address)
  return [...new Set(named)].filter((address) => !hosts.includes(address))
}

type ClusterOfHosts = Readonly<{ clusterId: string; hosts: readonly string[] }>

/** The clusters whose data the hosts hold; the cluster of most hosts comes first. */
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

/** The different memberships of a cluster that nodes report, the newest first. */
function membershipsOf(clusterId: string, sightings: readonly Sighting[]): Membership[] {
  const different: Membership[] = []
  for (const { membership } of sightings.map(({ description }) => description)) {
    if (membership?.clusterId !== clusterId) continue
    if (!different.some((known) => isSameMembership(known, membership))) different.push(membership)
  }
  return different.sort((a, b) => b.epoch - a.epoch)
}

/**
 * The newest of these memberships that is confirmed against each other one that is not newer. If HOSTS names
 * several nodes, a membership of one node is not believed, because no cluster shrinks to one.
 */
function believable(
  memberships: readonly Membership[],
  hosts: readonly string[],
  claims: readonly Claim[],
): Membership | undefined {
  return memberships.find(
    (newer) =>
      (newer.members.length > 1 || hosts.length === 1) &&
      memberships.every(
        (older) => older === newer || older.epoch > newer.epoch || isConfirmed(newer, older, claims),
      ),
  )
}

function isIn(
  clusterId: string,
  description: Description,
): description is Description & Readonly<{ membership: Membership }> {
  return description.membership?.clusterId === clusterId
}

/**
 * The reason to wait if nodes are in different epochs, and too few answer to tell whether the newest was
 * chosen.
 */
function waitForTruth(clusterId: string, sightings: readonly Sighting[], silent: readonly string[]): string {
  const epochs = sightings.flatMap(({ address, description }) =>
    isIn(clusterId, description) ? [`${address} is in epoch ${description.membership.epoch}`] : [],
  )
  const reason = `the nodes of cluster ${clusterId} do not agree about its members (${epochs.join(', ')}), and too few answer to tell which is right`
  return silent.length === 0 ? reason : `${reason}; start the nodes at ${silent.join(', ')}`
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
