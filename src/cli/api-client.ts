/**
 * The client of the commands: the client library, with replies as the commands tell them. It asks each
 * connector at most once, unless a call says otherwise, so that no command repeats a change by itself.
 */
import { randomUUID } from 'node:crypto'
import type { Static } from 'typebox'
import {
  type CallOptions,
  type Cause,
  CohortClient,
  type CohortError,
  type Outcome,
  type Tls,
  type Watch,
  type WatchOptions,
  type WatchQuery,
} from '../../client/src/index.ts'
import type { BackupPage, RestoreResult } from '../api/backup-schemas.ts'
import type { BatchBody, BatchResult } from '../api/batch-schemas.ts'
import type {
  GroupMember,
  GroupMemberBatchBody,
  GroupMemberBatchResult,
  GroupMemberList,
  GroupsOfList,
} from '../api/group-member-schemas.ts'
import type { CreateGroupBody, Group, GroupList, UpdateGroupBody } from '../api/group-schemas.ts'
import type {
  ApiKey,
  CallerView,
  CreateKeyBody,
  IssuedKey,
  KeyList,
  RotateKeyBody,
} from '../api/key-schemas.ts'
import type { RestoreMembersResult } from '../api/member-backup-schemas.ts'
import type { MembershipChange } from '../api/member-schemas.ts'
import type { ClusterStatus, GroupReplicas } from '../api/status-schemas.ts'
import type { Group as StoredGroup } from '../group/group.ts'
import type { GroupMember as GroupMemberOf } from '../group/group-member.ts'

/** A group as the API shows it. */
export type GroupView = Readonly<Static<typeof Group>>

/** Which groups a list has. `labels`: a selector. */
export type ListedGroups = Readonly<{ prefix?: string | undefined; labels?: string | undefined }>

/** Which page of a list. `after`: it starts after this id; `idsOnly`: only `groupIds` are filled. */
export type ListQuery = ListedGroups &
  Readonly<{ after?: string | undefined; limit: number; idsOnly?: boolean }>

export type ListAnswer = Readonly<Static<typeof GroupList>>

/** A page of groups as they are stored. `after`: where the next page starts. */
export type BackupAnswer = Readonly<{
  groups: readonly StoredGroup[]
  /** The ids of groups of this page that cannot be read. */
  unreadable?: readonly string[]
  after?: Static<typeof BackupPage>['after']
}>

/** A member of a group, as it is stored. */
export type StoredMember = GroupMemberOf & Readonly<{ groupId: string }>

/** A page of the members of all groups as they are stored. `after`: where the next page starts. */
export type MemberBackupAnswer = Readonly<{
  members: readonly StoredMember[]
  /** Members of this page that cannot be read. */
  unreadable?: readonly Readonly<{ groupId: string; memberId: string }>[]
  after?: string
}>

/** An error of the API, with the fields that the commands use. A proxy can have answered for a connector. */
export type Problem = Readonly<{
  status: number
  code: string
  title: string
  detail: string | undefined
  outcome: string | undefined
  errors: readonly Readonly<{ field: string; message: string }>[]
}>

/**
 * What became of a request. `url`: the connector that it was sent to last.
 *
 * - `answered`: a 2xx; `text` is the body as it came;
 * - `problem`: the API refused the request or failed; `problem.outcome` says whether data may have changed;
 * - `unreachable`: nothing was changed: the request was not sent, or it was a read without an answer;
 * - `broken`: a change was sent and no answer came back, so the change may have been made.
 */
export type Reply<T> =
  | Readonly<{ kind: 'answered'; status: number; etag: string | undefined; value: T; text: string }>
  | Readonly<{ kind: 'problem'; problem: Problem; text: string }>
  | Readonly<{ kind: 'unreachable'; reason: string }>
  | Readonly<{ kind: 'broken'; reason: string; url?: string }>

/** How a client shows who it is, and how it knows the connector. */
export type ApiCredentials = Readonly<{
  /** An API key, or a token of the OIDC issuer, by the URL of the connector. */
  tokenFor?: (url: string) => string | undefined
  /** The CA of the API, and the certificate and the key of this client, in PEM. */
  tls?: Tls
}>

export type ApiClientOptions = Readonly<{
  /** Where the API is: `http://host:port`, or with a path in front of `/v1`. */
  url: string
  /** Where each connector is, if there are several. Default: `url`. */
  urls?: readonly string[] | undefined
  /** Default: none. */
  credentials?: ApiCredentials | undefined
  /** How many connections to each connector may be open at once. Default: 1. */
  connections?: number
  /** How long to wait for an answer. Default: 65 s, which is more than a connector ever takes. */
  answerTimeoutMs?: number
}>

/** Longer than the longest operation of a connector (60 s), which then answers 504 itself. */
const ANSWER_TIMEOUT_MS = 65_000

/** The next page is on its way while one is printed. A connector that never answered is not waited for. */
const LIST = { isAhead: true, firstPatienceMs: 0 } as const

/** Groups or members to list: at most `limit`, with this patience for each page but the first. */
export type ListOptions = Readonly<{ limit: number | undefined; patienceMs: number }>

export class ApiClient {
  readonly #library: CohortClient

  constructor({
    url,
    urls = [url],
    credentials: { tokenFor, tls } = {},
    connections = 1,
    answerTimeoutMs = ANSWER_TIMEOUT_MS,
  }: ApiClientOptions) {
    this.#library = new CohortClient({
      urls,
      key: tokenFor,
      tls,
      connections,
      answerTimeoutMs,
      patienceMs: 0,
    })
  }

  create(group: CreateGroupBody): Promise<Reply<GroupView>> {
    return replyOf(this.#library.groups.create(group, { idempotencyKey: false }))
  }

  /**
   * Creates a group. If the outcome is open, it asks for so long again, with the same idempotency key, until
   * a connector tells it.
   */
  async createSurely(group: CreateGroupBody, patienceMs: number): Promise<Reply<GroupView>> {
    const idempotencyKey = randomUUID()
    const first = await this.#library.groups.create(group, { idempotencyKey })
    if (first.outcome !== 'unknown') return replyOf(first)
    return replyOf(this.#library.groups.create(group, { idempotencyKey, after: first, patienceMs }))
  }

  /** 1 to 1,000 changes, each as if it were alone. */
  batch(changes: BatchBody): Promise<Reply<BatchResult>> {
    return replyOf(this.#library.groups.batch(changes, { idempotencyKey: false }))
  }

  get(groupId: string): Promise<Reply<GroupView>> {
    return replyOf(this.#library.groups.get(groupId))
  }

  /** `ifMatch` is an ETag, a list of them, or `*`. */
  update(groupId: string, patch: UpdateGroupBody, ifMatch: string | undefined): Promise<Reply<GroupView>> {
    return replyOf(this.#library.groups.update(groupId, patch, { ifMatch, idempotencyKey: false }))
  }

  delete(groupId: string, ifMatch: string | undefined): Promise<Reply<GroupView>> {
    return replyOf(this.#library.groups.delete(groupId, { ifMatch }))
  }

  /** The pages of a list of groups. @throws CohortError when a page cannot be had */
  list(groups: ListedGroups, idsOnly: boolean, options: ListOptions): AsyncIterable<ListAnswer> {
    return this.#library.groups.pages({ ...groups, idsOnly }, { ...LIST, ...options })
  }

  /** Adds a member to a group, or changes its role. `isNew`: it is only added. */
  putGroupMember(
    groupId: string,
    memberId: string,
    options: Readonly<{ role?: string | undefined; isNew?: boolean }>,
  ): Promise<Reply<GroupMember>> {
    return replyOf(this.#library.members.put(groupId, memberId, options))
  }

  getGroupMember(groupId: string, memberId: string): Promise<Reply<GroupMember>> {
    return replyOf(this.#library.members.get(groupId, memberId))
  }

  removeGroupMember(
    groupId: string,
    memberId: string,
    ifMatch: string | undefined,
  ): Promise<Reply<GroupMember>> {
    return replyOf(this.#library.members.remove(groupId, memberId, { ifMatch }))
  }

  /** 1 to 1,000 members to add and to remove, each as if it were alone. */
  batchGroupMembers(groupId: string, changes: GroupMemberBatchBody): Promise<Reply<GroupMemberBatchResult>> {
    return replyOf(this.#library.members.batch(groupId, changes))
  }

  /** The pages of the members of a group. @throws CohortError when a page cannot be had */
  listGroupMembers(
    groupId: string,
    filter: Readonly<{ role?: string | undefined }>,
    options: ListOptions,
  ): AsyncIterable<GroupMemberList> {
    return this.#library.members.pages(groupId, filter, { ...LIST, ...options })
  }

  /** The pages of the groups that somebody is in. @throws CohortError when a page cannot be had */
  groupsOf(
    memberId: string,
    filter: Readonly<{ prefix?: string | undefined }>,
    options: ListOptions,
  ): AsyncIterable<GroupsOfList> {
    return this.#library.members.groupsOfPages(memberId, filter, { ...LIST, ...options })
  }

  /** Follows the changes of groups. */
  watch(query: WatchQuery, options: WatchOptions): Watch {
    return this.#library.watch(query, options)
  }

  /** At most `limit` groups (1 to 1,000) after this id. `undefined`: from the first group on. */
  backUp(after: string | undefined, limit: number, options?: CallOptions): Promise<Reply<BackupAnswer>> {
    return replyOf(this.#library.backup.groups({ after, limit }, options))
  }

  /** Restores 1 to 256 groups. It may be repeated: a group that is already there is not changed. */
  restore(groups: readonly StoredGroup[], options?: CallOptions): Promise<Reply<RestoreResult>> {
    return replyOf(this.#library.backup.restoreGroups(groups as never, options))
  }

  /** At most `limit` members of all groups (1 to 1,000) after a place that the page before names. */
  backUpMembers(
    after: string | undefined,
    limit: number,
    options?: CallOptions,
  ): Promise<Reply<MemberBackupAnswer>> {
    return replyOf(this.#library.backup.members({ after, limit }, options))
  }

  /** Restores 1 to 256 members of groups that exist. It may be repeated. */
  restoreMembers(
    members: readonly StoredMember[],
    options?: CallOptions,
  ): Promise<Reply<RestoreMembersResult>> {
    return replyOf(this.#library.backup.restoreMembers(members, options))
  }

  /** A connector answers this also when it has no quorum, or has not found its cluster. */
  cluster(): Promise<Reply<ClusterStatus>> {
    return replyOf(this.#library.cluster.status())
  }

  replicas(groupId: string): Promise<Reply<GroupReplicas>> {
    return replyOf(this.#library.cluster.replicas(groupId))
  }

  /**
   * Adds the empty node at an address as a member. The answer comes when the change is chosen, which is
   * before it is complete.
   */
  addMember(address: string): Promise<Reply<MembershipChange>> {
    return replyOf(this.#library.cluster.addMember(address))
  }

  /** Replaces a member by the empty node at an address. The answer comes as for `addMember`. */
  replaceMember(nodeId: string, address: string): Promise<Reply<MembershipChange>> {
    return replyOf(this.#library.cluster.replaceMember(nodeId, address))
  }

  /** Removes a member. The answer comes as for `addMember`. */
  removeMember(nodeId: string): Promise<Reply<MembershipChange>> {
    return replyOf(this.#library.cluster.removeMember(nodeId))
  }

  /** Who this client is, as the connector sees it. */
  caller(): Promise<Reply<CallerView>> {
    return replyOf(this.#library.keys.caller())
  }

  createKey(body: CreateKeyBody): Promise<Reply<IssuedKey>> {
    return replyOf(this.#library.keys.create(body))
  }

  /** At most 1,000 API keys after this id. `undefined`: from the first one on. */
  listKeys(after: string | undefined): Promise<Reply<KeyList>> {
    return replyOf(this.#library.keys.page({ after, limit: 1_000 }))
  }

  rotateKey(keyId: string, body: RotateKeyBody): Promise<Reply<IssuedKey>> {
    return replyOf(this.#library.keys.rotate(keyId, body))
  }

  revokeKey(keyId: string): Promise<Reply<ApiKey>> {
    return replyOf(this.#library.keys.revoke(keyId))
  }

  /** Closes all connections, also those on which a request is under way. */
  close(): Promise<void> {
    return this.#library.close()
  }
}

/** The reply for an outcome of the library. The values have the same form, with the types of `src/api`. */
async function replyOf<T>(
  given: Outcome<unknown, string> | Promise<Outcome<unknown, string>>,
): Promise<Reply<T>> {
  const outcome = await given
  if (outcome.outcome !== 'done') return failureOf(outcome as CohortError['outcome'])
  const { status, etag, value, text } = outcome
  return { kind: 'answered', status, etag, value: value as T, text }
}

/** The reply for an outcome that is no success. */
export function failureOf(outcome: CohortError['outcome']): Exclude<Reply<never>, { kind: 'answered' }> {
  if (outcome.outcome === 'refused') return problemReply(outcome)
  const { cause, url } = outcome
  if (cause.kind === 'problem') return problemReply(cause)
  if (outcome.outcome === 'unknown') return { kind: 'broken', reason: cause.message, url }
  return { kind: 'unreachable', reason: cause.message }
}

function problemReply({
  problem: { status, code, title, detail, outcome, errors },
  text,
}: Pick<Extract<Cause, { kind: 'problem' }>, 'problem' | 'text'>): Extract<
  Reply<never>,
  { kind: 'problem' }
> {
  return { kind: 'problem', problem: { status, code, title, detail, outcome, errors }, text }
}
