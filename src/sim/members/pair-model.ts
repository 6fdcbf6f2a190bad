import type { GroupMemberDecision } from '../../group/group-member.ts'
import type { Model } from '../../linearizability/linearizability.ts'

/** What a client does to a group, or to one member of it. */
export type PairCommand =
  | Readonly<{ kind: 'create' | 'restore' | 'delete' }>
  | Readonly<{ kind: 'put'; role: string }>
  | Readonly<{ kind: 'remove' | 'read' }>

/** What a client saw, as text. */
export type PairSeen = string

type State = Readonly<{ hasGroup: boolean; role: string | undefined }>

const NOTHING: State = { hasGroup: false, role: undefined }

/** One group and one member of it, as clients see them: as if there were one copy, and no index. */
export const PAIR_MODEL: Model<State, PairCommand, PairSeen> = {
  initial: NOTHING,
  isSame: (a, b) => a === b,
  isReading: (_command, seen) => !/^(created|deleted|added|changed|removed)/.test(seen),
  keyOf: ({ hasGroup, role }) => `${hasGroup} ${role}`,
  apply(state, command) {
    const { hasGroup, role } = state
    switch (command.kind) {
      case 'create':
      case 'restore':
        if (hasGroup) return { state, result: 'group_exists' }
        return { state: { hasGroup: true, role: undefined }, result: 'created' }
      case 'delete':
        return hasGroup ? { state: NOTHING, result: 'deleted' } : { state, result: 'group_not_found' }
      default:
    }
    if (!hasGroup) return { state, result: 'group_not_found' }
    switch (command.kind) {
      case 'put':
        if (role === command.role) return { state, result: 'unchanged' }
        return {
          state: { hasGroup, role: command.role },
          result: `${role === undefined ? 'added' : 'changed'} ${command.role}`,
        }
      case 'remove':
        if (role === undefined) return { state, result: 'group_member_not_found' }
        return { state: { hasGroup, role: undefined }, result: `removed ${role}` }
      case 'read':
        return { state, result: `read ${role}` }
      default:
        return command satisfies never
    }
  },
}

/** What a client saw, as text, in the words of the model. */
export function seenOf(decision: GroupMemberDecision): PairSeen {
  if (decision.kind === 'refused') return decision.refusal
  return decision.kind === 'unchanged' ? decision.kind : `${decision.kind} ${decision.answer.role}`
}
