/** The members of groups on top of the register protocol. */
import type { GroupMember, GroupMemberCommand, GroupMemberDecision } from '../../../group/group-member.ts'
import type {
  AllMembersPage,
  GroupMemberPage,
  GroupMemberReading,
  GroupMemberScan,
  GroupMembers,
  GroupsOfPage,
  MembershipOfGroup,
} from '../../../group/group-members.ts'
import type { Outcome } from '../../../group/registry.ts'
import type { Outcome as RegisterOutcome } from '../../../register/operation.ts'
import { successorKey } from '../../../rpc/key-order.ts'
import { outcomeOf } from '../outcomes.ts'
import type { RegisterWalk } from '../register-walk.ts'
import {
  entriesOfMember,
  MEMBER_RANGE,
  type MemberOfLife,
  membersOfLife,
  parseEntryKey,
  parseMemberKey,
} from './member-keys.ts'
import { groupMemberOf, type MemberProtocol } from './member-protocol.ts'

/** How many groups of a page are read at the same time. */
const READS_AT_ONCE = 128

export class RegisterGroupMembers implements GroupMembers {
  readonly #protocol: MemberProtocol
  readonly #walk: RegisterWalk

  constructor(protocol: MemberProtocol, walk: RegisterWalk) {
    this.#protocol = protocol
    this.#walk = walk
  }

  async read(groupId: string, memberId: string): Promise<Outcome<GroupMemberReading>> {
    return shown(await this.#protocol.read(groupId, memberId))
  }

  async put(
    groupId: string,
    memberId: string,
    command: GroupMemberCommand,
  ): Promise<Outcome<GroupMemberDecision>> {
    return shown(await this.#protocol.put(groupId, memberId, command))
  }

  async remove(
    groupId: string,
    memberId: string,
    command: GroupMemberCommand,
  ): Promise<Outcome<GroupMemberDecision>> {
    return shown(await this.#protocol.remove(groupId, memberId, command))
  }

  async list(
    groupId: string,
    { after, limit, role }: GroupMemberScan & Readonly<{ role: string | undefined }>,
  ): Promise<Outcome<GroupMemberPage>> {
    const beganAtMs = this.#protocol.nowMs
    const life = await this.#protocol.lifeOf(groupId)
    if (life.kind !== 'decided') return outcomeOf(life, 'group')
    if (life.result === undefined) return { kind: 'done', value: { members: undefined, after: undefined } }
    if (this.#protocol.isLate(beganAtMs)) return shown({ kind: 'not_applied' })
    const outcome = await this.#walk.page({
      ...membersOfLife(groupId, life.result, after),
      limit,
      decode: groupMemberOf,
      isWanted: (member: GroupMember) => role === undefined || member.role === role,
    })
    if (outcome.kind !== 'decided') return shown(outcome)
    // A page takes two timeouts at most.
    if (this.#protocol.isLate(beganAtMs, 2)) return shown({ kind: 'not_applied' })
    const { values, unreadable, after: last } = outcome.result
    const page = { members: values, after: last && parseMemberKey(last)?.memberId }
    if (unreadable.length === 0) return { kind: 'done', value: page }
    const memberIds = unreadable.flatMap((key) => parseMemberKey(key)?.memberId ?? [])
    return { kind: 'done', value: { ...page, unreadable: memberIds } }
  }

  /**
   * The index says in which groups somebody may be. Each of those is read: an entry may be of a life that is
   * over, or of a group member that was removed, or is still to come.
   */
  async groupsOf(
    memberId: string,
    { limit, ...where }: GroupMemberScan & Readonly<{ prefix?: string | undefined }>,
  ): Promise<Outcome<GroupsOfPage>> {
    const outcome = await this.#walk.page({
      ...entriesOfMember(memberId, where),
      limit,
      decode: (value, key) => (value === undefined ? undefined : parseEntryKey(key)?.groupId),
    })
    if (outcome.kind !== 'decided') return shown(outcome)
    const { values, after: last } = outcome.result
    const groupIds = [...new Set(values)]
    const groups: MembershipOfGroup[] = []
    const unreadable: string[] = []
    for (let first = 0; first < groupIds.length; first += READS_AT_ONCE) {
      const some = groupIds.slice(first, first + READS_AT_ONCE)
      const readings = await Promise.all(some.map((groupId) => this.read(groupId, memberId)))
      for (const [index, reading] of readings.entries()) {
        const groupId = some[index]!
        if (reading.kind === 'unreadable') unreadable.push(groupId)
        else if (reading.kind !== 'done') return reading
        else if (reading.value.member !== undefined) groups.push({ groupId, member: reading.value.member })
      }
    }
    const page = { groups, after: last && parseEntryKey(last)?.groupId }
    return { kind: 'done', value: unreadable.length === 0 ? page : { ...page, unreadable } }
  }

  /** The values are read before the lives of their groups, so a life that was remembered is not needed. */
  async scan({ after, limit }: GroupMemberScan): Promise<Outcome<AllMembersPage>> {
    const outcome = await this.#walk.page({
      start: after === undefined ? MEMBER_RANGE.start : successorKey(MEMBER_RANGE.start + after),
      end: MEMBER_RANGE.end,
      limit,
      decode: (value, key) => {
        const member = groupMemberOf(value)
        const at = parseMemberKey(key)
        return member === undefined || at === undefined ? undefined : { at, member }
      },
    })
    if (outcome.kind !== 'decided') return shown(outcome)
    const { values, unreadable, after: last } = outcome.result
    const hidden = unreadable.flatMap((key) => parseMemberKey(key) ?? [])
    const lives = new Map<string, string | undefined>()
    const groupIds = [...new Set([...values.map(({ at }) => at), ...hidden].map(({ groupId }) => groupId))]
    const found = await Promise.all(groupIds.map((groupId) => this.#protocol.lifeOf(groupId)))
    for (const [index, life] of found.entries()) {
      // A group that cannot be read has no members that could be restored: the list of groups names it.
      if (life.kind === 'decided') lives.set(groupIds[index]!, life.result)
      else if (life.fault !== 'unreadable') return outcomeOf(life, 'group')
    }
    const counts = ({ groupId, life }: MemberOfLife) => lives.get(groupId) === life
    const page = {
      members: values
        .filter(({ at }) => counts(at))
        .map(({ at, member }) => ({ groupId: at.groupId, member })),
      after: last?.slice(MEMBER_RANGE.start.length),
    }
    const left = hidden.filter(counts).map(({ groupId, memberId }) => ({ groupId, memberId }))
    return { kind: 'done', value: left.length === 0 ? page : { ...page, unreadable: left } }
  }
}

function shown<T>(outcome: RegisterOutcome<T>): Outcome<T> {
  return outcomeOf(outcome, 'group member')
}
