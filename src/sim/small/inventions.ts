import type { Member, Membership } from '../../rpc/messages.ts'
import type { InventedForm } from './action.ts'
import { memberOf } from './epoch.ts'

/** Nodes that no world has. */
const STRANGERS = ['n98', 'n99'].map(memberOf)

/** A membership that a node invents. It is never one that can be proposed: strangers are never at hand. */
export function inventMembership(
  { outgoing: _, ...known }: Membership,
  inventor: Member,
  { ahead, form }: Readonly<{ ahead: number; form: InventedForm }>,
): Membership {
  const epoch = known.epoch + ahead
  const others = known.members.filter(({ nodeId }) => nodeId !== inventor.nodeId)
  switch (form) {
    case 'alone':
      return { ...known, epoch, members: [inventor] }
    case 'with strangers':
      return { ...known, epoch, members: [inventor, ...STRANGERS] }
    case 'without one':
      return { ...known, epoch, members: [inventor, ...others.slice(1), ...STRANGERS.slice(0, 1)] }
    case 'joint':
      return { ...known, epoch, members: [inventor, ...STRANGERS], outgoing: known.members }
    default:
      return form satisfies never
  }
}
