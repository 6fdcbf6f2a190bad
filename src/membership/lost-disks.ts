/** Finds out which members have lost their disks, and which only do not answer. Pure. */
import { classicQuorum } from '../register/quorum.ts'
import { isJoint, isMemberOf, joiningOf, nodesOfEpoch } from '../rpc/membership.ts'
import type { Member, Membership } from '../rpc/messages.ts'
import { isEmpty, type Sighting } from './sighting.ts'

/** A member, and the empty node with another id which answers at the member's address. */
export type LostDisk = Readonly<{ member: Member; newcomer: Member }>

export type LostDiskFinding =
  | Readonly<{ kind: 'none' }>
  /** This member can be replaced. Members are replaced one at a time, so there may be others. */
  | Readonly<{ kind: 'replaceable'; lost: LostDisk }>
  /**
   * So many disks are lost that no quorum knows what was decided. `reason` is a sentence without its full
   * stop.
   */
  | Readonly<{ kind: 'beyond repair'; reason: string }>

/**
 * Finds the members that have lost their disks, from the nodes that answered.
 *
 * @param addressOf where a member was last seen; if it was not seen yet, its address in the membership
 * @param hosts the addresses from the settings. If exactly one member is missing, an empty node at a host
 *   that is not the address of a member counts as the replacement of that member
 */
export function findLostDisks(
  membership: Membership,
  sightings: readonly Sighting[],
  addressOf: (member: Member) => string,
  hosts: readonly string[],
): LostDiskFinding {
  const nodes = nodesOfEpoch(membership)
  const seen = new Set(sightings.map(({ description }) => description.nodeId))
  const empty = sightings.filter(
    ({ description }) => isEmpty(description) && !isMemberOf(membership, description.nodeId),
  )
  const missing = nodes.filter(({ nodeId }) => !seen.has(nodeId))
  const lost: LostDisk[] = []
  for (const member of missing) {
    const found = empty.find(({ address }) => address === addressOf(member) || address === member.address)
    if (found !== undefined) lost.push({ member, newcomer: memberAt(found) })
  }
  const [onlyMissing] = missing
  if (
    lost.length === 0 &&
    missing.length === 1 &&
    onlyMissing !== undefined &&
    hosts.length === nodes.length
  ) {
    const homes = nodes.map(addressOf)
    const found = empty.find(({ address }) => hosts.includes(address) && !homes.includes(address))
    if (found !== undefined) lost.push({ member: onlyMissing, newcomer: memberAt(found) })
  }
  // A joining node is no longer empty. If it answers at the address of a member, that member has lost its
  // disk.
  const displaced = missing.filter((member) =>
    sightings.some(
      ({ address, description }) =>
        address === addressOf(member) &&
        joiningOf(membership).some(({ nodeId }) => nodeId === description.nodeId),
    ),
  )
  return judge(membership, lost, displaced)
}

function judge(
  membership: Membership,
  lost: readonly LostDisk[],
  displaced: readonly Member[],
): LostDiskFinding {
  const [first] = lost
  if (first === undefined) return { kind: 'none' }
  for (const members of [membership.outgoing, membership.members]) {
    if (members === undefined) continue
    const gone = [...lost.map(({ member }) => member), ...displaced].filter((member) =>
      members.some(({ nodeId }) => nodeId === member.nodeId),
    )
    const joining = joiningOf(membership)
    // If a joining node loses its disk, nothing is lost: the other nodes have everything that was decided.
    const isLoss = gone.some((member) => !joining.some(({ nodeId }) => nodeId === member.nodeId))
    const needed = classicQuorum(members.length)
    if (isLoss && members.length - gone.length < needed) {
      return { kind: 'beyond repair', reason: lossReason(gone, members.length, needed) }
    }
  }
  if (!isJoint(membership)) return { kind: 'replaceable', lost: first }
  // While a change is under way, only a joining node can be replaced. Other members are replaced after the
  // change.
  const joining = joiningOf(membership)
  const replaceable = lost.find(({ member }) => joining.some(({ nodeId }) => nodeId === member.nodeId))
  return replaceable === undefined ? { kind: 'none' } : { kind: 'replaceable', lost: replaceable }
}

/** Says which disks are lost, what that means, and what can be done. */
function lossReason(lost: readonly Member[], count: number, needed: number): string {
  const who = lost.map(({ nodeId, address }) => `${nodeId} at ${address}`).join(', ')
  return (
    `${lost.length} of ${count} members have lost their disks (${who}): empty nodes answer at their addresses, and ` +
    `${needed} members with their data are needed to know what was decided. Nothing was overwritten, and the empty nodes ` +
    'are not used: bring a lost data directory back, or start a new cluster and restore a backup into it'
  )
}

function memberAt({ address, description }: Sighting): Member {
  return { nodeId: description.nodeId, address }
}
