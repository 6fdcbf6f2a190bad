/** What is seen of the nodes while a cluster is followed, and what follows from it. Pure. */
import { isMemberOf, nodesOfEpoch } from '../rpc/membership.ts'
import type { Member, Membership } from '../rpc/messages.ts'
import { claimOf, newestConfirmed } from './confirmation.ts'
import { findLostDisks, type LostDiskFinding } from './lost-disks.ts'
import type { Sighting } from './sighting.ts'

export type Observation = Readonly<{
  /** A newer epoch of this cluster that enough nodes confirm. */
  newer: Membership | undefined
  /** Members that were away and have been seen somewhere. */
  moved: readonly Member[]
  /** Nodes that were members once, are no more, and do not know it. */
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
  // A link that works is a sighting too: nobody asked those again.
  const linked = nodesOfEpoch(membership)
    .filter(({ nodeId }) => reachable.has(nodeId))
    .map((member) => ({ address: addressOf(member), description: linkedDescription(member) }))
  const lostDisks = findLostDisks(membership, [...sightings, ...linked], addressOf, hosts)
  return { newer, moved, removed, lostDisks }

  function linkedDescription({ nodeId }: Member): Sighting['description'] {
    return { nodeId, membership, version: '', recordCount: 0, tombstoneCount: 0, stubCount: 0 }
  }
}
