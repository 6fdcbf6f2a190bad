import type { GroupMember, GroupMemberCommand, GroupMemberDecision } from './group-member.ts'
import type { Outcome } from './registry.ts'

/** What a group member looks like now. `hasGroup`: there is such a group. */
export type GroupMemberReading = Readonly<{ hasGroup: boolean; member: GroupMember | undefined }>

/** One page of the members of a group, in the order of their ids (UTF-8 bytes). */
export type GroupMemberPage = Readonly<{
  /** `undefined`: there is no such group. */
  members: readonly GroupMember[] | undefined
  /** The ids of group members that exist but cannot be read. Left out when there are none. */
  unreadable?: readonly string[]
  /** Where the next page starts: pass it as `after`. `undefined`: this was the last page. */
  after: string | undefined
}>

/** A group in which a member is, and how. */
export type MembershipOfGroup = Readonly<{ groupId: string; member: GroupMember }>

/** One page of the groups of a member, in the order of their ids (UTF-8 bytes). */
export type GroupsOfPage = Readonly<{
  groups: readonly MembershipOfGroup[]
  /** The ids of groups for which the member, or the group, cannot be read. Left out when there are none. */
  unreadable?: readonly string[]
  after: string | undefined
}>

/** One page of the members of all groups, in the order of the groups and then of the members. */
export type AllMembersPage = Readonly<{
  members: readonly MembershipOfGroup[]
  /** Group members that exist but cannot be read. Left out when there are none. */
  unreadable?: readonly Readonly<{ groupId: string; memberId: string }>[]
  /** A place that only the engine understands. Pass it as `after`. `undefined`: this was the last page. */
  after: string | undefined
}>

export type GroupMemberScan = Readonly<{ after: string | undefined; limit: number }>

/**
 * The members of groups, for any engine.
 *
 * Every method is linearizable for each pair of a group and a member: a group that is deleted has no members
 * from that moment on. Each method resolves within four operation timeouts of the engine, and rejects only
 * because of a bug. The caller has checked every id.
 */
export interface GroupMembers {
  /** Whether somebody is in a group. The outcome is never `unknown`. */
  read(groupId: string, memberId: string): Promise<Outcome<GroupMemberReading>>

  /** Adds or changes a group member. */
  put(groupId: string, memberId: string, command: GroupMemberCommand): Promise<Outcome<GroupMemberDecision>>

  /** Removes a group member. */
  remove(
    groupId: string,
    memberId: string,
    command: GroupMemberCommand,
  ): Promise<Outcome<GroupMemberDecision>>

  /**
   * At most `limit` members (1 to 1,000) of a group after `after` (exclusive). A page as a whole is not a
   * snapshot. A page may be short, or empty: only if the returned `after` is `undefined`, it was the last
   * page.
   */
  list(
    groupId: string,
    options: GroupMemberScan & Readonly<{ role: string | undefined }>,
  ): Promise<Outcome<GroupMemberPage>>

  /** The groups that somebody is in, like `list`. `prefix`: only groups whose ids begin with it. */
  groupsOf(
    memberId: string,
    options: GroupMemberScan & Readonly<{ prefix?: string | undefined }>,
  ): Promise<Outcome<GroupsOfPage>>

  /** The members of all groups, like `list`. `after`: of the page before. */
  scan(options: GroupMemberScan): Promise<Outcome<AllMembersPage>>
}
