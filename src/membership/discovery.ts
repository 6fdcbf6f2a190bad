import { classicQuorum, isClassicQuorum } from '../register/quorum.ts'
import { nodesOfEpoch, quorumsOfMembership } from '../rpc/membership.ts'
import type { Description, Member, Membership } from '../rpc/messages.ts'
import { type Claim, claimOf, isConfirmed, isSameMembership } from './confirmation.ts'
import { findLostDisks } from './lost-disks.ts'
import type { Sighting } from './sighting.ts'

/** What a connector that has looked at its hosts does next. */
export type Discovery =
  /**
   * A classic quorum of this membership's nodes answered. `addresses` says where nodes were seen, by nodeId;
   * `strays` are those hosts that hold another cluster's data.
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
   * Too many disks of a cluster are lost, and nothing will be known without them. `reason` is a sentence
   * without its full stop.
   */
  | Readonly<{ kind: 'lost'; reason: string }>
  /**
   * What the hosts hold is not of the cluster that is asked for. `reason` is a sentence without its full
   * stop.
   */
  | Readonly<{ kind: 'another cluster'; reason: string }>
  /** Not enough is known yet. `reason` is a sentence. */
  | Readonly<{ kind: 'wait'; reason: string }>

/**
 * Decides from what was seen which cluster this connector serves (protocol.md §7).
 *
 * Where hosts hold the data of several clusters, the one that most of them are of is meant: a node with
 * foreign data must lead nobody astray, although its own cluster may answer elsewhere. A membership counts
 * only when a classic quorum of the nodes it names answered by its name: without it nothing could be read or
 * written anyway.
 *
 * @param pinned the only cluster that may be meant, as CLUSTER_ID says; `undefined`: any, also a new one
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
    const reason = `HOSTS names nodes of different clusters, and as many of one as of the other: ${describeHosts([meant, other])}; name those of one alone`
    return { kind: 'wait', reason }
  }
  const silent = hosts.filter((host) => !sightings.some(({ address }) => address === host))
  if (meant !== undefined) {
    const strays = others.flatMap((cluster) => cluster.hosts)
    return discoverCluster(meant.clusterId, hosts, sightings, { addresses, silent, strays })
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

/** No host holds data of the cluster that is asked for: whatever there is, it is left alone. */
function notThere(
  pinned: string,
  hosts: readonly string[],
  sightings: readonly Sighting[],
  strays: readonly ClusterOfHosts[],
): Discovery {
  const silent = hosts.filter((host) => !sightings.some(({ address }) => address === host))
  const unheard = silent.length === 0 ? '' : `; no answer from ${silent.join(', ')}`
  if (strays.length > 0) {
    const reason = `CLUSTER_ID is ${pinned}, but the hosts hold the data of another cluster, of which nothing is used: ${describeHosts(strays)}${unheard}`
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

/** Which membership of this cluster to work in. */
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
  // A node that says that it is in a newer epoch acts on nothing that belongs to this one.
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

/** Where else to ask: addresses that seen memberships name and nobody has asked yet. */
export function furtherAddresses(hosts: readonly string[], sightings: readonly Sighting[]): string[] {
  const named = sightings
    .flatMap(({ description: { membership } }) => (membership === undefined ? [] : nodesOfEpoch(membership)))
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

/** The different memberships of a cluster that nodes tell of, the newest first. */
function membershipsOf(clusterId: string, sightings: readonly Sighting[]): Membership[] {
  const different: Membership[] = []
  for (const { membership } of sightings.map(({ description }) => description)) {
    if (membership?.clusterId !== clusterId) continue
    if (!different.some((known) => isSameMembership(known, membership))) different.push(membership)
  }
  return different.sort((a, b) => b.epoch - a.epoch)
}

/**
 * The newest of these memberships that is confirmed against each of the others that is not newer. A connector
 * that was told of several nodes is not led by one of them that says that it is the only member: no cluster
 * shrinks to one.
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

/** Nodes are in different epochs, and too few answer to tell whether the newest was chosen. */
function waitForTruth(clusterId: string, sightings: readonly Sighting[], silent: readonly string[]): string {
  const epochs = sightings.flatMap(({ address, description }) =>
    isIn(clusterId, description) ? [`${address} is in epoch ${description.membership.epoch}`] : [],
  )
  const reason = `the nodes of cluster ${clusterId} do not agree on who its members are (${epochs.join(', ')}), and too few answer to tell which is right`
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
