/**
 * The keys of the registers of group members (protocol.md §11). U+001F ends an id: no id has a control
 * character, so no two pairs of ids have the same key, and keys are in the order of the ids' UTF-8 bytes.
 */
import { compareKeys, keyAfterPrefix } from '../../../rpc/key-order.ts'

/**
 * One member, of one life of a group: the group member itself.
 *
 * `cluster/` is a namespace that nodes of version 0.1.0 take too. Both namespaces come between those of API
 * keys and groups: the removal of tombstones walks over one range.
 */
const MEMBER_NAMESPACE = 'cluster/user-member/'
/** One group, one life of it, of one member: the index from a member to groups. */
const ENTRY_NAMESPACE = 'cluster/user-member-of/'

/** The ranges of both kinds of keys. `0` follows `/` in UTF-8. */
export const MEMBER_RANGE = { start: MEMBER_NAMESPACE, end: 'cluster/user-member0' } as const
export const ENTRY_RANGE = { start: ENTRY_NAMESPACE, end: 'cluster/user-member-of0' } as const

const END_OF_ID = '\u001f'
/** The first character that may follow where an id ends in another key: it comes after `END_OF_ID`. */
const AFTER_END_OF_ID = '\u0020'

/** A member of one life of a group. */
export type MemberOfLife = Readonly<{ groupId: string; life: string; memberId: string }>

export function memberKey({ groupId, life, memberId }: MemberOfLife): string {
  return `${MEMBER_NAMESPACE}${groupId}${END_OF_ID}${life}${END_OF_ID}${memberId}`
}

export function entryKey({ groupId, life, memberId }: MemberOfLife): string {
  return `${ENTRY_NAMESPACE}${memberId}${END_OF_ID}${groupId}${END_OF_ID}${life}`
}

/** What the key of a group member names. `undefined`: it is no such key. */
export function parseMemberKey(key: string): MemberOfLife | undefined {
  if (!key.startsWith(MEMBER_NAMESPACE)) return undefined
  const [groupId, life, memberId, more] = key.slice(MEMBER_NAMESPACE.length).split(END_OF_ID)
  if (groupId === undefined || life === undefined || memberId === undefined) return undefined
  return more === undefined ? { groupId, life, memberId } : undefined
}

/** What the key of an entry of the index names. `undefined`: it is no such key. */
export function parseEntryKey(key: string): MemberOfLife | undefined {
  if (!key.startsWith(ENTRY_NAMESPACE)) return undefined
  const [memberId, groupId, life, more] = key.slice(ENTRY_NAMESPACE.length).split(END_OF_ID)
  if (groupId === undefined || life === undefined || memberId === undefined) return undefined
  return more === undefined ? { groupId, life, memberId } : undefined
}

type KeyRange = Readonly<{ start: string; end: string }>

/** The members of one life of a group after a memberId, or all of them. */
export function membersOfLife(groupId: string, life: string, after: string | undefined): KeyRange {
  const prefix = `${MEMBER_NAMESPACE}${groupId}${END_OF_ID}${life}`
  // U+0000 follows the key of `after` at once.
  const start = after === undefined ? `${prefix}${END_OF_ID}` : `${prefix}${END_OF_ID}${after}\0`
  return { start, end: `${prefix}${AFTER_END_OF_ID}` }
}

/** The entries of a member for groups whose ids begin with a prefix and are after a groupId. */
export function entriesOfMember(
  memberId: string,
  { after, prefix = '' }: Readonly<{ after?: string | undefined; prefix?: string | undefined }>,
): KeyRange {
  const ofMember = `${ENTRY_NAMESPACE}${memberId}${END_OF_ID}`
  const first = `${ofMember}${prefix}`
  // An entry for each life of the group `after` comes before this start.
  const next = after === undefined ? first : `${ofMember}${after}${AFTER_END_OF_ID}`
  const end = prefix === '' ? `${ENTRY_NAMESPACE}${memberId}${AFTER_END_OF_ID}` : keyAfterPrefix(first)
  return { start: compareKeys(next, first) < 0 ? first : next, end: end ?? ENTRY_RANGE.end }
}
