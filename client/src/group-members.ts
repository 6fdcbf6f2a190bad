import type { Caller, CallOptions } from './caller.ts'
import type { Conditional } from './groups.ts'
import type { ChangeOf, ReadOf } from './outcome.ts'
import { entriesOf, type ListOptions, pagesOf } from './pages.ts'
import { groupMemberPath, groupPath, segmentOf, withQuery } from './paths.ts'
import { ifMatchHeaders, withJson } from './requests.ts'
import type { GroupMember, GroupMemberBatch, GroupMemberPage, GroupsOfPage } from './types.ts'

type PageQuery = Readonly<{ after?: string | undefined; limit?: number | undefined }>

/** The members of groups. */
export class GroupMembers {
  readonly #caller: Caller

  constructor(caller: Caller) {
    this.#caller = caller
  }

  /** Adds a member to a group, or gives it another role. `isNew`: it is only added. */
  put(
    groupId: string,
    memberId: string,
    {
      role,
      isNew = false,
      ...options
    }: CallOptions & Readonly<{ role?: string | undefined; isNew?: boolean }> = {},
  ): Promise<ChangeOf<'putGroupMember'>> {
    const headers: { [name: string]: string } = isNew ? { 'if-none-match': '*' } : {}
    return this.#caller.change<'putGroupMember'>(
      withJson('PUT', groupMemberPath(groupId, memberId), { role }, headers),
      { ...options, repeats: 'idempotent' },
    )
  }

  /** Whether somebody is in a group now: refused with `group_member_not_found` if not. */
  get(groupId: string, memberId: string, options: CallOptions = {}): Promise<ReadOf<'getGroupMember'>> {
    return this.#caller.read<'getGroupMember'>(groupMemberPath(groupId, memberId), options)
  }

  remove(
    groupId: string,
    memberId: string,
    { ifMatch, ...options }: CallOptions & Conditional = {},
  ): Promise<ChangeOf<'removeGroupMember'>> {
    return this.#caller.change<'removeGroupMember'>(
      { method: 'DELETE', path: groupMemberPath(groupId, memberId), headers: ifMatchHeaders(ifMatch) },
      { ...options, repeats: 'idempotent' },
    )
  }

  /**
   * Adds and removes 1 to 1,000 members, each as if it were alone: `value` tells the outcome of each. A batch
   * that may have been made is repeated only if it removes none, because a second removal would find nobody.
   */
  batch(
    groupId: string,
    changes: GroupMemberBatch,
    options: CallOptions = {},
  ): Promise<ChangeOf<'batchGroupMembers'>> {
    const repeats = (changes.remove ?? []).length === 0 ? 'idempotent' : 'never'
    return this.#caller.change<'batchGroupMembers'>(
      withJson('POST', `${groupPath(groupId)}/members:batch`, changes),
      { ...options, repeats },
    )
  }

  /** One page of the members of a group. */
  page(
    groupId: string,
    query: PageQuery & Readonly<{ role?: string | undefined }>,
    options: CallOptions = {},
  ): Promise<ReadOf<'listGroupMembers'>> {
    const path = withQuery(`${groupPath(groupId)}/members`, query)
    return this.#caller.read<'listGroupMembers'>(path, options)
  }

  /** The pages of the members of a group. @throws CohortError when a page cannot be had */
  pages(
    groupId: string,
    { role }: Readonly<{ role?: string | undefined }> = {},
    options: ListOptions = {},
  ): AsyncGenerator<GroupMemberPage, void, undefined> {
    return pagesOf<GroupMemberPage>(
      {
        ask: (part, given) => this.page(groupId, { ...part, role }, given),
        lengthOf: ({ members }) => members.length,
      },
      options,
    )
  }

  /** The members of a group, in the order of their ids. @throws as `Groups.list` does */
  list(
    groupId: string,
    filter: Readonly<{ role?: string | undefined }> = {},
    options: ListOptions = {},
  ): AsyncGenerator<GroupMember, void, undefined> {
    return entriesOf(this.pages(groupId, filter, options), ({ members }) => members)
  }

  /** One page of the groups that somebody is in. */
  groupsOfPage(
    memberId: string,
    query: PageQuery & Readonly<{ prefix?: string | undefined }>,
    options: CallOptions = {},
  ): Promise<ReadOf<'listGroupsOfMember'>> {
    const path = withQuery(`/v1/member/${segmentOf(memberId)}/groups`, query)
    return this.#caller.read<'listGroupsOfMember'>(path, options)
  }

  /** The pages of the groups that somebody is in. @throws CohortError when a page cannot be had */
  groupsOfPages(
    memberId: string,
    { prefix }: Readonly<{ prefix?: string | undefined }> = {},
    options: ListOptions = {},
  ): AsyncGenerator<GroupsOfPage, void, undefined> {
    return pagesOf<GroupsOfPage>(
      {
        ask: (part, given) => this.groupsOfPage(memberId, { ...part, prefix }, given),
        lengthOf: ({ groups }) => groups.length,
      },
      options,
    )
  }

  /** The groups that somebody is in, in the order of their ids. @throws as `Groups.list` does */
  groupsOf(
    memberId: string,
    filter: Readonly<{ prefix?: string | undefined }> = {},
    options: ListOptions = {},
  ): AsyncGenerator<GroupMember, void, undefined> {
    return entriesOf(this.groupsOfPages(memberId, filter, options), ({ groups }) => groups)
  }
}
