import type { Caller, CallOptions, KeyedOptions } from './caller.ts'
import type { ChangeOf, ReadOf } from './outcome.ts'
import { entriesOf, type ListOptions, pagesOf } from './pages.ts'
import { groupPath, withQuery } from './paths.ts'
import { ifMatchHeaders, withJson } from './requests.ts'
import type { CreateGroup, Group, GroupBatch, GroupPage, UpdateGroup } from './types.ts'

/** Which groups a list or a watch has. `labels`: a selector, as `team=core,env in (prod,stage),!legacy`. */
export type GroupFilter = Readonly<{ prefix?: string | undefined; labels?: string | undefined }>

/** `ifMatch`: an ETag, a list of them, or `*`. The change is made only if the group has one of them. */
export type Conditional = Readonly<{ ifMatch?: string | undefined }>

/** Which page of a list. `after`: it begins after this id. `idsOnly`: only `groupIds` is filled. */
export type GroupPageQuery = GroupFilter &
  Readonly<{ after?: string | undefined; limit?: number | undefined; idsOnly?: boolean | undefined }>

/** The groups of a cluster. */
export class Groups {
  readonly #caller: Caller

  constructor(caller: Caller) {
    this.#caller = caller
  }

  /** Creates a group. It is refused with `group_exists` when there is one. */
  create(group: CreateGroup, options: KeyedOptions = {}): Promise<ChangeOf<'createGroup'>> {
    return this.#caller.keyed<'createGroup'>(withJson('POST', '/v1/group', group), options)
  }

  get(groupId: string, options: CallOptions = {}): Promise<ReadOf<'getGroup'>> {
    return this.#caller.read<'getGroup'>(groupPath(groupId), options)
  }

  /** Changes description and labels. What the patch does not name stays, and `null` removes. */
  update(
    groupId: string,
    patch: UpdateGroup,
    { ifMatch, ...options }: KeyedOptions & Conditional = {},
  ): Promise<ChangeOf<'updateGroup'>> {
    const headers = { 'content-type': 'application/merge-patch+json', ...ifMatchHeaders(ifMatch) }
    return this.#caller.keyed<'updateGroup'>(withJson('PATCH', groupPath(groupId), patch, headers), options)
  }

  /**
   * Deletes a group and its members. A repetition after a lost answer deletes what has the id then: with
   * `ifMatch`, only the group that was meant.
   */
  delete(
    groupId: string,
    { ifMatch, ...options }: CallOptions & Conditional = {},
  ): Promise<ChangeOf<'deleteGroup'>> {
    return this.#caller.change<'deleteGroup'>(
      { method: 'DELETE', path: groupPath(groupId), headers: ifMatchHeaders(ifMatch) },
      { ...options, repeats: 'idempotent' },
    )
  }

  /**
   * Makes 1 to 1,000 changes, each as if it were alone: `value` tells the outcome of each. A batch that may
   * have been made is not repeated when it deletes groups, because a second delete would find none.
   */
  batch(changes: GroupBatch, options: KeyedOptions = {}): Promise<ChangeOf<'batchGroups'>> {
    const repeats = (changes.delete ?? []).length === 0 ? 'keyed' : 'never'
    return this.#caller.keyed<'batchGroups'>(withJson('POST', '/v1/groups:batch', changes), options, repeats)
  }

  /** One page. */
  page(
    { idsOnly = false, after, limit, prefix, labels }: GroupPageQuery,
    options: CallOptions = {},
  ): Promise<ReadOf<'listGroups'>> {
    const fields = idsOnly ? 'groupId' : undefined
    return this.#caller.read<'listGroups'>(
      withQuery('/v1/group', { limit, after, prefix, labels, fields }),
      options,
    )
  }

  /** The pages of a list, asked for as they are used. @throws CohortError when a page cannot be had */
  pages(
    { after: start, ...query }: Omit<GroupPageQuery, 'limit'> = {},
    options: ListOptions = {},
  ): AsyncGenerator<GroupPage, void, undefined> {
    return pagesOf<GroupPage>(
      {
        ask: (part, given) => this.page({ ...query, ...part }, given),
        lengthOf: ({ groups, groupIds }) => groups.length + (groupIds?.length ?? 0),
      },
      options,
      start,
    )
  }

  /**
   * The groups, in the order of their ids. The list is no snapshot: a group that is made or deleted meanwhile
   * may be in it or not.
   *
   * @throws CohortError when a page cannot be had
   * @throws UnreadableError at the end, when groups cannot be read
   */
  list(filter: GroupFilter = {}, options: ListOptions = {}): AsyncGenerator<Group, void, undefined> {
    return entriesOf(this.pages(filter, options), ({ groups }) => groups)
  }
}
