import type { MembershipChange } from '../../api/member-schemas.ts'
import type { ChangeMembers, ChangeResult as Result } from '../../membership/change-members.ts'
import type { Membership } from '../../rpc/messages.ts'
import type { ChangeResult, MemberChanges } from '../engine.ts'

/** Changes of the membership, in the form of the public API. */
export function memberChangesOf(changes: Pick<ChangeMembers, 'add' | 'replace' | 'remove'>): MemberChanges {
  return {
    add: async (address) => shown(await changes.add(address)),
    replace: async (nodeId, address) => shown(await changes.replace(nodeId, address)),
    remove: async (nodeId) => shown(await changes.remove(nodeId)),
  }
}

function shown(result: Result): ChangeResult {
  return result.kind === 'accepted' ? { kind: 'accepted', change: viewOf(result.membership) } : result
}

function viewOf({ clusterId, epoch, members, outgoing }: Membership): MembershipChange {
  const change = { clusterId, epoch, members: members.map((member) => ({ ...member })) }
  return outgoing === undefined ? change : { ...change, outgoing: outgoing.map((member) => ({ ...member })) }
}
