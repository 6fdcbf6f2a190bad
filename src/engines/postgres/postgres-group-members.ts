/** The members of groups in a table of Postgres. */
import { LRUCache } from 'lru-cache'
import type { GroupMember, GroupMemberCommand, GroupMemberDecision } from '../../group/group-member.ts'
import { decodeGroupMember, encodeGroupMember } from '../../group/group-member-codec.ts'
import type {
  AllMembersPage,
  GroupMemberPage,
  GroupMemberReading,
  GroupMemberScan,
  GroupMembers,
  GroupsOfPage,
  MembershipOfGroup,
} from '../../group/group-members.ts'
import { MEMBER_ID_LENGTH_MAX } from '../../group/limits.ts'
import type { Outcome } from '../../group/registry.ts'
import { keyAfterPrefix } from '../../rpc/key-order.ts'
import {
  ALL_MEMBERS,
  BEFORE_ALL_MEMBERS,
  GROUPS_OF_MEMBER,
  MEMBER_AND_GROUP,
  MEMBERS,
  MEMBERS_OF_GROUP,
} from './member-statements.ts'
import { decodeOrThrow, orUndefined, type RowAt, type RowDecision, type RowStore } from './row-store.ts'
import { rowOf, type StoredRow } from './row-table.ts'
import type { Session, Statement } from './session.ts'

/** How many groups' lives a connector remembers. An add to one of these groups needs no read before it. */
const KNOWN_LIVES_MAX = 20_000
/** How many rows of a group to ask for at least. Some of them can have another role. */
const ROWS_MIN = 64
const ROWS_MAX = 1_024
/** It comes after every id of a group, in the order of UTF-8 bytes. */
const AFTER_ALL = '\u{10ffff}'.repeat(MEMBER_ID_LENGTH_MAX + 1)

const UNREADABLE = 'what the database holds for this group member cannot be read'
const NO_GROUP: GroupMemberDecision = { kind: 'refused', refusal: 'group_not_found' }

type MemberRow = Readonly<{ group_id: string; life: string; member_id: string; value: Uint8Array }>

export class PostgresGroupMembers implements GroupMembers {
  readonly #rows: RowStore
  readonly #lives = new LRUCache<string, string>({ max: KNOWN_LIVES_MAX })

  constructor(rows: RowStore) {
    this.#rows = rows
  }

  async read(groupId: string, memberId: string): Promise<Outcome<GroupMemberReading>> {
    return this.#rows.read(async (session, limitMs) => {
      const found = await this.#find(session, { groupId, memberId }, limitMs)
      return { hasGroup: found !== undefined, member: found && memberOf(found.row.value) }
    })
  }

  put(groupId: string, memberId: string, command: GroupMemberCommand): Promise<Outcome<GroupMemberDecision>> {
    return this.#change(groupId, memberId, command)
  }

  remove(
    groupId: string,
    memberId: string,
    command: GroupMemberCommand,
  ): Promise<Outcome<GroupMemberDecision>> {
    return this.#change(groupId, memberId, command)
  }

  async list(
    groupId: string,
    { after, limit, role }: GroupMemberScan & Readonly<{ role: string | undefined }>,
  ): Promise<Outcome<GroupMemberPage>> {
    const members: GroupMember[] = []
    const unreadable: string[] = []
    const page = (last: string | undefined): Outcome<GroupMemberPage> => ({
      kind: 'done',
      value: { members, ...(unreadable.length === 0 ? {} : { unreadable }), after: last },
    })
    let last = after ?? ''
    for (let most = ROWS_MIN; ; most = Math.min(2 * most, ROWS_MAX)) {
      const asked = Math.max(limit + 1 - members.length - unreadable.length, most)
      const outcome = await this.#select(MEMBERS_OF_GROUP, [groupId, last, asked])
      if (outcome.kind !== 'done') return outcome
      if (outcome.value.length === 0) return { kind: 'done', value: { members: undefined, after: undefined } }
      for (const { member_id: memberId, value } of outcome.value) {
        if (memberId === null) return page(undefined)
        const member = orUndefined(() => memberOf(value))
        const isFull = members.length + unreadable.length === limit
        if (isFull) return page(last)
        if (member === undefined) unreadable.push(memberId)
        else if (role === undefined || member.role === role) members.push(member)
        last = memberId
      }
      if (outcome.value.length < asked) return page(undefined)
    }
  }

  async groupsOf(
    memberId: string,
    { after = '', limit, prefix = '' }: GroupMemberScan & Readonly<{ prefix?: string | undefined }>,
  ): Promise<Outcome<GroupsOfPage>> {
    const end = keyAfterPrefix(prefix) ?? AFTER_ALL
    const outcome = await this.#select(GROUPS_OF_MEMBER, [memberId, prefix, after, end, limit + 1])
    if (outcome.kind !== 'done') return outcome
    const { rows, last, readable, unreadable } = pageOf(outcome.value, limit)
    const page = { groups: readable, after: last?.group_id }
    if (rows.length === readable.length) return { kind: 'done', value: page }
    return { kind: 'done', value: { ...page, unreadable: unreadable.map(({ groupId }) => groupId) } }
  }

  async scan({ after, limit }: GroupMemberScan): Promise<Outcome<AllMembersPage>> {
    const outcome = await this.#select(ALL_MEMBERS, [...placeOf(after), limit + 1])
    if (outcome.kind !== 'done') return outcome
    const { last, readable, unreadable } = pageOf(outcome.value, limit)
    const page = {
      members: readable,
      after: last && JSON.stringify([last.group_id, last.life, last.member_id]),
    }
    return { kind: 'done', value: unreadable.length === 0 ? page : { ...page, unreadable } }
  }

  async #change(
    groupId: string,
    memberId: string,
    command: GroupMemberCommand,
  ): Promise<Outcome<GroupMemberDecision>> {
    const life = this.#lives.get(groupId)
    const target = {
      table: MEMBERS,
      key: life === undefined ? undefined : [groupId, life, memberId],
      find: (session: Session, limitMs: number) => this.#find(session, { groupId, memberId }, limitMs),
    }
    const outcome = await this.#rows.change(target, (value): RowDecision<GroupMemberDecision> => {
      const { decision, next } = command(memberOf(value))
      if (next === undefined) return { kind: 'keep', result: decision }
      const bytes = next.member && encodeGroupMember(next.member)
      return { kind: 'write', value: bytes, result: decision }
    })
    return outcome.kind === 'done' ? { kind: 'done', value: outcome.value ?? NO_GROUP } : outcome
  }

  /** The row of a member in the present life of its group. */
  async #find(
    session: Session,
    { groupId, memberId }: Readonly<{ groupId: string; memberId: string }>,
    limitMs: number,
  ): Promise<RowAt | undefined> {
    const { rows } = await session.run(MEMBER_AND_GROUP, [groupId, memberId], limitMs)
    const found = rows[0] as unknown as (StoredRow & Readonly<{ life: string }>) | undefined
    if (found === undefined) {
      this.#lives.delete(groupId)
      return undefined
    }
    this.#lives.set(groupId, found.life)
    return { key: [groupId, found.life, memberId], row: rowOf(found) }
  }

  #select(statement: Statement, values: readonly unknown[]): Promise<Outcome<MemberRow[]>> {
    return this.#rows.read(async (session, limitMs) => {
      const { rows } = await session.run(statement, values, limitMs)
      return rows as unknown as MemberRow[]
    })
  }
}

/**
 * What a page has of rows, of which one more than its limit was asked for. `last`: the last row, if it is not
 * the last page.
 */
function pageOf(found: readonly MemberRow[], limit: number) {
  const rows = found.slice(0, limit)
  const readable: MembershipOfGroup[] = []
  const unreadable: { groupId: string; memberId: string }[] = []
  for (const { group_id: groupId, member_id: memberId, value } of rows) {
    const member = orUndefined(() => memberOf(value))
    if (member === undefined) unreadable.push({ groupId, memberId })
    else readable.push({ groupId, member })
  }
  return { rows, readable, unreadable, last: found.length > limit ? rows.at(-1) : undefined }
}

/** The key of the row after which a walk goes on. A text that no page has given begins at the first row. */
function placeOf(after: string | undefined): readonly string[] {
  if (after === undefined) return BEFORE_ALL_MEMBERS
  try {
    const place = JSON.parse(after)
    const isPlace = Array.isArray(place) && place.length === 3 && /^\d{1,18}$/.test(place[1])
    return isPlace ? place.map(String) : BEFORE_ALL_MEMBERS
  } catch {
    return BEFORE_ALL_MEMBERS
  }
}

function memberOf(value: Uint8Array | undefined): GroupMember | undefined {
  return decodeOrThrow(value, decodeGroupMember, UNREADABLE)
}
