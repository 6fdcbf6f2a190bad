/**
 * How a group and its members must behave, from one creation of the group to its deletion and on. The model
 * is written for the checker, and shares no code with the program. Every change writes the number of its
 * operation, so a state shows which operations made it.
 */
import type { Model } from './linearizability.ts'

/** The operations that created something and that wrote it last. */
export type Written = Readonly<{ creator: number; version: number; writer: number }>

/** `group: undefined`: no group; then there are no members. `members`: by their ids. */
export type GroupLife = Readonly<{
  group: Written | undefined
  members: { readonly [memberId: string]: Omit<Written, 'creator'> }
}>

/** `ifMatch`: only if the group is in the state of this text (`describeGroup`). */
type OnGroup =
  | Readonly<{ kind: 'read' | 'create' }>
  | Readonly<{ kind: 'update' | 'delete'; ifMatch: Readonly<{ state: string }> | undefined }>

/** `add` makes a member, `put` makes or changes it. */
type OnMember = Readonly<{ kind: 'add' | 'put' | 'check' | 'remove'; memberId: string }>

/** `number`: of the operation, unique in the run. */
export type GroupLifeCall = Readonly<{ number: number; command: OnGroup | OnMember }>

const NOTHING: GroupLife = { group: undefined, members: {} }

/** A result is an answer as a text: `read version 1 of #3, written by #3`. */
export const GROUP_LIFE_MODEL: Model<GroupLife, GroupLifeCall, string> = {
  initial: NOTHING,
  isSame: (a, b) => a === b,
  isReading: (_call, seen) => !/^(created|updated|deleted|added|changed|removed)/.test(seen),
  keyOf: ({ group, members }) =>
    Object.keys(members)
      .toSorted()
      .reduce((text, id) => `${text}|${id} ${describeMember(members[id])}`, describeGroup(group)),
  apply(state, { number, command }) {
    return 'memberId' in command ? onMember(state, number, command) : onGroup(state, number, command)
  },
}

type Step = Readonly<{ state: GroupLife; result: string }>

function onGroup(state: GroupLife, number: number, command: OnGroup): Step {
  const { group } = state
  switch (command.kind) {
    case 'read':
      return { state, result: `read ${describeGroup(group)}` }
    case 'create': {
      if (group !== undefined) return { state, result: 'refused group_exists' }
      const created = { creator: number, version: 1, writer: number }
      return { state: { group: created, members: {} }, result: `created ${describeGroup(created)}` }
    }
    case 'update':
    case 'delete': {
      if (group === undefined) return { state, result: 'refused group_not_found' }
      if (command.ifMatch !== undefined && command.ifMatch.state !== describeGroup(group)) {
        return { state, result: 'refused version_mismatch' }
      }
      if (command.kind === 'delete') return { state: NOTHING, result: `deleted ${describeGroup(group)}` }
      const updated = { ...group, version: group.version + 1, writer: number }
      return { state: { ...state, group: updated }, result: `updated ${describeGroup(updated)}` }
    }
    default:
      return command satisfies never
  }
}

function onMember(state: GroupLife, number: number, { kind, memberId }: OnMember): Step {
  const { group, members } = state
  if (group === undefined) return { state, result: 'refused group_not_found' }
  const member = members[memberId]
  switch (kind) {
    case 'check':
      return { state, result: `checked ${describeMember(member)}` }
    case 'remove': {
      if (member === undefined) return { state, result: 'refused group_member_not_found' }
      const { [memberId]: _removed, ...others } = members
      return { state: { group, members: others }, result: `removed ${describeMember(member)}` }
    }
    case 'add':
    case 'put': {
      if (kind === 'add' && member !== undefined) return { state, result: 'refused precondition_failed' }
      const next = { version: (member?.version ?? 0) + 1, writer: number }
      const result = `${member === undefined ? 'added' : 'changed'} ${describeMember(next)}`
      return { state: { group, members: { ...members, [memberId]: next } }, result }
    }
    default:
      return kind satisfies never
  }
}

/** The state of a group as text. Equal states have equal texts. */
export function describeGroup(group: Written | undefined): string {
  if (group === undefined) return 'nothing'
  return `version ${group.version} of #${group.creator}, written by #${group.writer}`
}

/** The state of a member as text. Equal states have equal texts. */
export function describeMember(member: Omit<Written, 'creator'> | undefined): string {
  return member === undefined ? 'no member' : `version ${member.version}, written by #${member.writer}`
}
