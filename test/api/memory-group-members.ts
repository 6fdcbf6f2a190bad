import type { GroupMember, GroupMemberCommand, GroupMemberDecision } from '../../src/group/group-member.ts'
import type {
  AllMembersPage,
  GroupMemberPage,
  GroupMemberReading,
  GroupMemberScan,
  GroupMembers,
  GroupsOfPage,
} from '../../src/group/group-members.ts'
import { lifeOf } from '../../src/group/life.ts'
import type { Outcome } from '../../src/group/registry.ts'
import type { MemoryRegistry } from './memory-registry.ts'

type Failure = Exclude<Outcome<never>, { kind: 'done' }>

/** The members of the groups of a registry in memory, for tests: it runs the real commands on a Map. */
export class MemoryGroupMembers implements GroupMembers {
  readonly #registry: MemoryRegistry
  /** By life, and then by memberId. */
  readonly #lives = new Map<string, Map<string, GroupMember>>()
  /** The ids of members that cannot be read. */
  readonly unreadable = new Set<string>()

  constructor(registry: MemoryRegistry) {
    this.#registry = registry
  }

  async read(groupId: string, memberId: string): Promise<Outcome<GroupMemberReading>> {
    const members = await this.#membersOf(groupId)
    if (members !== undefined && 'kind' in members) return members
    return { kind: 'done', value: { hasGroup: members !== undefined, member: members?.get(memberId) } }
  }

  put(groupId: string, memberId: string, command: GroupMemberCommand) {
    return this.#change(groupId, memberId, command)
  }

  remove(groupId: string, memberId: string, command: GroupMemberCommand) {
    return this.#change(groupId, memberId, command)
  }

  async list(
    groupId: string,
    { after, limit, role }: GroupMemberScan & Readonly<{ role: string | undefined }>,
  ): Promise<Outcome<GroupMemberPage>> {
    const members = await this.#membersOf(groupId)
    if (members === undefined) return { kind: 'done', value: { members: undefined, after: undefined } }
    if ('kind' in members) return members
    const found = [...members.values()]
      .filter((member) => role === undefined || member.role === role)
      .filter(({ memberId }) => after === undefined || inOrder(after, memberId) < 0)
      .sort((a, b) => inOrder(a.memberId, b.memberId))
    const page = found.slice(0, limit)
    const last = found.length > limit ? page.at(-1)?.memberId : undefined
    const unreadable = page.map(({ memberId }) => memberId).filter((id) => this.unreadable.has(id))
    const value = { members: page.filter(({ memberId }) => !this.unreadable.has(memberId)), after: last }
    return { kind: 'done', value: unreadable.length === 0 ? value : { ...value, unreadable } }
  }

  async groupsOf(
    memberId: string,
    { after, limit, prefix = '' }: GroupMemberScan & Readonly<{ prefix?: string | undefined }>,
  ): Promise<Outcome<GroupsOfPage>> {
    const all = await this.#registry.scan({ after, limit: Number.MAX_SAFE_INTEGER, prefix })
    if (all.kind !== 'done') return all
    const groups = all.value.groups.flatMap((group) => {
      const member = this.#lives.get(lifeOf(group))?.get(memberId)
      return member === undefined ? [] : [{ groupId: group.groupId, member }]
    })
    const page = groups.slice(0, limit)
    return {
      kind: 'done',
      value: { groups: page, after: groups.length > limit ? page.at(-1)?.groupId : undefined },
    }
  }

  async scan({ after, limit }: GroupMemberScan): Promise<Outcome<AllMembersPage>> {
    const probe = await this.#registry.read('any')
    if (probe.kind !== 'done') return probe
    const members = this.#registry.all.flatMap((group) =>
      [...(this.#lives.get(lifeOf(group))?.values() ?? [])]
        .sort((a, b) => inOrder(a.memberId, b.memberId))
        .map((member) => ({ groupId: group.groupId, member })),
    )
    const start = after === undefined ? 0 : Number(after)
    const page = members.slice(start, start + limit)
    const isLast = start + limit >= members.length
    return { kind: 'done', value: { members: page, after: isLast ? undefined : String(start + limit) } }
  }

  async #change(
    groupId: string,
    memberId: string,
    command: GroupMemberCommand,
  ): Promise<Outcome<GroupMemberDecision>> {
    const members = await this.#membersOf(groupId)
    if (members === undefined) return { kind: 'done', value: { kind: 'refused', refusal: 'group_not_found' } }
    if ('kind' in members) return members
    const { decision, next } = command(members.get(memberId))
    if (next?.member !== undefined) members.set(memberId, next.member)
    else if (next !== undefined) members.delete(memberId)
    return { kind: 'done', value: decision }
  }

  async #membersOf(groupId: string): Promise<Map<string, GroupMember> | Failure | undefined> {
    const group = await this.#registry.read(groupId)
    if (group.kind !== 'done') return group
    if (group.value === undefined) return undefined
    const life = lifeOf(group.value)
    const members = this.#lives.get(life) ?? new Map<string, GroupMember>()
    this.#lives.set(life, members)
    return members
  }
}

function inOrder(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
