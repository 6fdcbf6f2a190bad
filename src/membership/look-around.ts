/** What a connector sees of the nodes while it follows a cluster, and what it concludes. Pure. */
import { isMemberOf, nodesOfEpoch } from '../rpc/membership.ts'
import type { Member, Membership } from '../rpc/messages.ts'
import { claimOf, newestConfirmed } from './confirmation.ts'
import { findLostDisks, type LostDiskFinding } from './lost-disks.ts'
import type { Sighting } from './sighting.ts'

export type Observation = Readonly<{
  /** A newer epoch of this cluster that enough nodes confirm. */
  newer: Membership | undefined
  /** Members without a working link that have answered at some address. */
  moved: readonly Member[]
  /** Nodes that are no longer members and do not know it. */
  removed: readonly Member[]
  lostDisks: LostDiskFinding
}>

export type Surroundings = Readonly<{
  membership: Membership
  /** The ids of the nodes whose links work. */
  reachable: ReadonlySet<string>
  hosts: readonly string[]
  addressOf: (member: Member) => string
}>

export function observe(surroundings: Surroundings, sightings: readonly Sighting[]): Observation {
  const { membership, reachable, hosts, addressOf } = surroundings
  const { clusterId, epoch } = membership
  const relatives = sightings.filter(({ description }) => description.membership?.clusterId === clusterId)
  const moved = sightings
    .map(({ address, description }) => ({ nodeId: description.nodeId, address }))
    .filter(({ nodeId }) => isMemberOf(membership, nodeId) && !reachable.has(nodeId))
  const removed = relatives
    .filter(
      ({ description }) =>
        description.membership!.epoch < epoch && !isMemberOf(membership, description.nodeId),
    )
    .map(({ address, description }) => ({ nodeId: description.nodeId, address }))
  const newer = newestConfirmed(
    membership,
    sightings.map(({ description }) => claimOf(description)),
  )
  // Nodes with a working link were not asked again, but count as seen.
  const linked = nodesOfEpoch(membership)
    .filter(({ nodeId }) => reachable.has(nodeId))
    .map((member) => ({ address: addressOf(member), description: linkedDescription(member) }))
  const lostDisks = findLostDisks(membership, [...sightings, ...linked], addressOf, hosts)
  return { newer, moved, removed, lostDisks }

  function linkedDescription({ nodeId }: Member): Sighting['description'] {
    return {
      nodeId,
      membership,
      version: '',
      recordCount: 0,
      tombstoneCount: 0,
      stubCount: 0,
      damagedCount: 0,
      healedCount: 0,
    }
  }
}
