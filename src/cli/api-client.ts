/**
 * A typed client of the public API, for the commands. It never repeats a request. If a change may have been
 * made, the reply says so.
 */
import type { Static } from 'typebox'
import { Pool } from 'undici'
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

/**
 * An error of the API (RFC 9457), with the fields that the commands use. A proxy can have answered in place
 * of a connector.
 */
export type Problem = Readonly<{
  status: number
  code: string
  title: string
  detail: string | undefined
  outcome: string | undefined
  errors: readonly Readonly<{ field: string; message: string }>[]
}>

/**
 * What became of a request:
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
  | Readonly<{ kind: 'broken'; reason: string }>

/** How a client shows who it is, and how it knows the connector. */
export type ApiCredentials = Readonly<{
  /** An API key, or a token of the OIDC issuer. It is sent as `Authorization: Bearer`. */
  token?: string
  /** The CA that signs the certificate of the API, in PEM. Default: those that Node.js knows. */
  ca?: string
}>

export type ApiClientOptions = Readonly<{
  /** Where the API is: `http://host:port`, or with a path in front of `/v1`. */
  url: string
  /** Default: none. */
  credentials?: ApiCredentials | undefined
  /** How many connections may be open at once. Default: 1. */
  connections?: number
  /** How long to wait for an answer. Default: 65 s, which is more than a connector ever takes. */
  answerTimeoutMs?: number
}>

/** Longer than the longest operation of a connector (60 s), which then answers 504 itself. */
const ANSWER_TIMEOUT_MS = 65_000

type Call = Readonly<{
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: string
  headers?: { [name: string]: string }
  body?: string
}>

export class ApiClient {
  readonly #pool: Pool
  readonly #basePath: string
  readonly #ownHeaders: { [name: string]: string }

  constructor({
    url,
    credentials = {},
    connections = 1,
    answerTimeoutMs = ANSWER_TIMEOUT_MS,
  }: ApiClientOptions) {
    const { origin, pathname } = new URL(url)
    this.#basePath = pathname.replace(/\/+$/, '')
    const { token, ca } = credentials
    this.#ownHeaders = token === undefined ? {} : { authorization: `Bearer ${token}` }
    this.#pool = new Pool(origin, {
      connections,
      pipelining: 1,
      connect: { timeout: 5_000, ...(ca === undefined ? {} : { ca }) },
      headersTimeout: answerTimeoutMs,
      bodyTimeout: answerTimeoutMs,
    })
  }

  /** With an idempotency key, the same create may be repeated. */
  create(group: CreateGroupBody, idempotencyKey?: string): Promise<Reply<GroupView>> {
    const { headers, body } = json(group)
    return this.#call({
      method: 'POST',
      path: '/v1/group',
      headers: { ...headers, ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }) },
      body,
    })
  }

  /** 1 to 1,000 changes, each as if it were alone. */
  batch(changes: BatchBody): Promise<Reply<BatchResult>> {
    return this.#call({ method: 'POST', path: '/v1/groups:batch', ...json(changes) })
  }

  get(groupId: string): Promise<Reply<GroupView>> {
    return this.#call({ method: 'GET', path: groupPath(groupId) })
  }

  /** `ifMatch` is an ETag, a list of them, or `*`. */
  update(groupId: string, patch: UpdateGroupBody, ifMatch: string | undefined): Promise<Reply<GroupView>> {
    const { headers, body } = json(patch)
    return this.#call({
      method: 'PATCH',
      path: groupPath(groupId),
      headers: { ...headers, 'content-type': 'application/merge-patch+json', ...condition(ifMatch) },
      body,
    })
  }

  delete(groupId: string, ifMatch: string | undefined): Promise<Reply<GroupView>> {
    return this.#call({ method: 'DELETE', path: groupPath(groupId), headers: condition(ifMatch) })
  }

  /** A page of groups. `limit`: 1 to 1,000. */
  list({ after, limit, prefix, labels, idsOnly = false }: ListQuery): Promise<Reply<ListAnswer>> {
    const query = new URLSearchParams({ limit: String(limit) })
    for (const [name, value] of Object.entries({ after, prefix, labels }))
      if (value !== undefined) query.set(name, value)
    if (idsOnly) query.set('fields', 'groupId')
    return this.#call({ method: 'GET', path: `/v1/group?${query}` })
  }

  /** Adds a member to a group, or changes its role. `isNew`: it is only added. */
  putGroupMember(
    groupId: string,
    memberId: string,
    { role, isNew = false }: Readonly<{ role?: string | undefined; isNew?: boolean }>,
  ): Promise<Reply<GroupMember>> {
    const { headers, body } = json({ role })
    const condition = isNew ? { 'if-none-match': '*' } : {}
    return this.#call({
      method: 'PUT',
      path: groupMemberPath(groupId, memberId),
      headers: { ...headers, ...condition },
      body,
    })
  }

  getGroupMember(groupId: string, memberId: string): Promise<Reply<GroupMember>> {
    return this.#call({ method: 'GET', path: groupMemberPath(groupId, memberId) })
  }

  removeGroupMember(
    groupId: string,
    memberId: string,
    ifMatch: string | undefined,
  ): Promise<Reply<GroupMember>> {
    return this.#call({
      method: 'DELETE',
      path: groupMemberPath(groupId, memberId),
      headers: condition(ifMatch),
    })
  }

  /** 1 to 1,000 members to add and to remove, each as if it were alone. */
  batchGroupMembers(groupId: string, changes: GroupMemberBatchBody): Promise<Reply<GroupMemberBatchResult>> {
    return this.#call({ method: 'POST', path: `${groupPath(groupId)}/members:batch`, ...json(changes) })
  }

  /** A page of the members of a group. `limit`: 1 to 1,000. */
  listGroupMembers(
    groupId: string,
    query: Readonly<{ after?: string | undefined; limit: number; role?: string | undefined }>,
  ): Promise<Reply<GroupMemberList>> {
    return this.#call({ method: 'GET', path: `${groupPath(groupId)}/members?${queryOf(query)}` })
  }

  /** A page of the groups that somebody is in. `limit`: 1 to 1,000. */
  groupsOf(
    memberId: string,
    query: Readonly<{ after?: string | undefined; limit: number; prefix?: string | undefined }>,
  ): Promise<Reply<GroupsOfList>> {
    return this.#call({ method: 'GET', path: `/v1/member/${segmentOf(memberId)}/groups?${queryOf(query)}` })
  }

  /** At most `limit` groups (1 to 1,000) after this id. `undefined`: from the first group on. */
  backUp(after: string | undefined, limit: number): Promise<Reply<BackupAnswer>> {
    const start = after === undefined ? '' : `&after=${encodeURIComponent(after)}`
    return this.#call({ method: 'GET', path: `/v1/backup?limit=${limit}${start}` })
  }

  /** Restores 1 to 256 groups. It may be repeated: a group that is already there is not changed. */
  restore(groups: readonly StoredGroup[]): Promise<Reply<RestoreResult>> {
    return this.#call({ method: 'POST', path: '/v1/restore', ...json({ groups }) })
  }

  /** At most `limit` members of all groups (1 to 1,000) after a place that the page before names. */
  backUpMembers(after: string | undefined, limit: number): Promise<Reply<MemberBackupAnswer>> {
    return this.#call({ method: 'GET', path: `/v1/backup/members?${queryOf({ limit, after })}` })
  }

  /** Restores 1 to 256 members of groups that exist. It may be repeated. */
  restoreMembers(members: readonly StoredMember[]): Promise<Reply<RestoreMembersResult>> {
    return this.#call({ method: 'POST', path: '/v1/restore/members', ...json({ members }) })
  }

  /** A connector answers this also when it has no quorum, or has not found its cluster. */
  cluster(): Promise<Reply<ClusterStatus>> {
    return this.#call({ method: 'GET', path: '/v1/cluster' })
  }

  replicas(groupId: string): Promise<Reply<GroupReplicas>> {
    return this.#call({ method: 'GET', path: `${groupPath(groupId)}/replicas` })
  }

  /**
   * Adds the empty node at an address as a member. The answer comes when the change is chosen, which is
   * before it is complete.
   */
  addMember(address: string): Promise<Reply<MembershipChange>> {
    return this.#call({ method: 'POST', path: MEMBERS_PATH, ...json({ address }) })
  }

  /** Replaces a member by the empty node at an address. The answer comes as for `addMember`. */
  replaceMember(nodeId: string, address: string): Promise<Reply<MembershipChange>> {
    return this.#call({ method: 'PUT', path: memberPath(nodeId), ...json({ address }) })
  }

  /** Removes a member. The answer comes as for `addMember`. */
  removeMember(nodeId: string): Promise<Reply<MembershipChange>> {
    return this.#call({ method: 'DELETE', path: memberPath(nodeId) })
  }

  /** Who this client is, as the connector sees it. */
  caller(): Promise<Reply<CallerView>> {
    return this.#call({ method: 'GET', path: '/v1/caller' })
  }

  createKey(body: CreateKeyBody): Promise<Reply<IssuedKey>> {
    return this.#call({ method: 'POST', path: KEYS_PATH, ...json(body) })
  }

  /** At most 1,000 API keys after this id. `undefined`: from the first one on. */
  listKeys(after: string | undefined): Promise<Reply<KeyList>> {
    const start = after === undefined ? '' : `&after=${encodeURIComponent(after)}`
    return this.#call({ method: 'GET', path: `${KEYS_PATH}?limit=1000${start}` })
  }

  rotateKey(keyId: string, body: RotateKeyBody): Promise<Reply<IssuedKey>> {
    return this.#call({ method: 'POST', path: `${keyPath(keyId)}/rotate`, ...json(body) })
  }

  revokeKey(keyId: string): Promise<Reply<ApiKey>> {
    return this.#call({ method: 'DELETE', path: keyPath(keyId) })
  }

  /** Closes all connections, also those on which a request is under way. */
  close(): Promise<void> {
    return this.#pool.destroy()
  }

  async #call<T>(call: Call): Promise<Reply<T>> {
    try {
      const { statusCode, headers, body } = await this.#pool.request({
        ...call,
        path: this.#basePath + call.path,
        headers: { ...call.headers, ...this.#ownHeaders },
      })
      const text = await body.text()
      if (statusCode < 200 || statusCode > 299) {
        return { kind: 'problem', problem: toProblem(statusCode, text), text }
      }
      const { etag } = headers
      return {
        kind: 'answered',
        status: statusCode,
        etag: typeof etag === 'string' ? etag : undefined,
        value: JSON.parse(text) as T,
        text,
      }
    } catch (error) {
      if (!(error instanceof Error)) throw error
      const reason = describeTransportError(error)
      const isHarmless = call.method === 'GET' || isUnsent(innermost(error))
      return { kind: isHarmless ? 'unreachable' : 'broken', reason }
    }
  }
}

/**
 * The path of a group. It is sent without going through a URL parser, which would resolve `..` to the parent
 * of `/v1/group`.
 *
 * @throws URIError when the id holds a lone surrogate, which has no UTF-8
 */
export function groupPath(groupId: string): string {
  return `/v1/group/${segmentOf(groupId)}`
}

function groupMemberPath(groupId: string, memberId: string): string {
  return `${groupPath(groupId)}/members/${segmentOf(memberId)}`
}

/** An id as a segment of a path. A proxy may resolve `.` and `..`, so they are sent with escapes. */
function segmentOf(id: string): string {
  const encoded = encodeURIComponent(id)
  return /^\.{1,2}$/.test(encoded) ? encoded.replaceAll('.', '%2E') : encoded
}

function queryOf(query: Readonly<{ [name: string]: string | number | undefined }>): URLSearchParams {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  )
  return new URLSearchParams(given)
}

const KEYS_PATH = '/v1/key'

function keyPath(keyId: string): string {
  return `${KEYS_PATH}/${encodeURIComponent(keyId)}`
}

const MEMBERS_PATH = '/v1/cluster/members'

function memberPath(nodeId: string): string {
  return `${MEMBERS_PATH}/${encodeURIComponent(nodeId)}`
}

function json(body: unknown): { headers: { [name: string]: string }; body: string } {
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

function condition(ifMatch: string | undefined): { [name: string]: string } {
  return ifMatch === undefined ? {} : { 'if-match': ifMatch }
}

/** Reads an error answer of any form: of a connector, or of a proxy in front of it. */
function toProblem(status: number, text: string): Problem {
  const body = parseObject(text)
  const { code, title, detail, outcome, errors } = body
  return {
    status,
    code: typeof code === 'string' ? code : 'unexpected_answer',
    title: typeof title === 'string' ? title : `HTTP status ${status}`,
    detail: typeof detail === 'string' ? detail : undefined,
    outcome: typeof outcome === 'string' ? outcome : undefined,
    errors: Array.isArray(errors) ? errors.flatMap(toFieldError) : [],
  }
}

function toFieldError(error: unknown): { field: string; message: string }[] {
  if (typeof error !== 'object' || error === null) return []
  const { field, message } = error as { field?: unknown; message?: unknown }
  return typeof field === 'string' && typeof message === 'string' ? [{ field, message }] : []
}

function parseObject(text: string): { [name: string]: unknown } {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as { [name: string]: unknown }) : {}
  } catch {
    return {}
  }
}

/**
 * Whether the request failed before there was a connection. A network can also become unreachable while there
 * is a connection. Then the request may have been sent.
 */
function isUnsent({ code, syscall }: NodeJS.ErrnoException): boolean {
  return syscall === 'connect' || syscall === 'getaddrinfo' || code === 'UND_ERR_CONNECT_TIMEOUT'
}

/** A host name with several addresses gives one error for each address. The first error says enough. */
function innermost(error: Error): NodeJS.ErrnoException {
  return error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error
}

function describeTransportError(error: Error): string {
  const { code, message } = innermost(error)
  switch (code) {
    case 'ECONNREFUSED':
      return 'connection refused'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'no such host'
    case 'UND_ERR_CONNECT_TIMEOUT':
      return 'no answer to the connection attempt'
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
      return 'no answer in time'
    case 'UND_ERR_SOCKET':
    case 'ECONNRESET':
      return 'the connection broke before the answer'
    default:
      return message
  }
}
