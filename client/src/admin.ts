/** What administrators do: the members of the cluster, API keys, backups. */
import type { Caller, CallOptions } from './caller.ts'
import type { ChangeOf, ReadOf } from './outcome.ts'
import { groupPath, segmentOf, withQuery } from './paths.ts'
import { withJson } from './requests.ts'
import type { CreateKey, RotateKey, StoredGroup, StoredGroupMember } from './types.ts'

const MEMBERS = '/v1/cluster/members'

/** The nodes of the cluster, and what they hold. */
export class Cluster {
  readonly #caller: Caller

  constructor(caller: Caller) {
    this.#caller = caller
  }

  /** A connector answers this also when it has no quorum, or has not found its cluster. */
  status(options: CallOptions = {}): Promise<ReadOf<'getCluster'>> {
    return this.#caller.read<'getCluster'>('/v1/cluster', options)
  }

  /** What each node holds for a group. */
  replicas(groupId: string, options: CallOptions = {}): Promise<ReadOf<'getReplicas'>> {
    return this.#caller.read<'getReplicas'>(`${groupPath(groupId)}/replicas`, options)
  }

  /**
   * Adds the empty node at an address as a member. The answer comes when the change is chosen, which is
   * before it is complete. A change that may have begun is not repeated.
   */
  addMember(address: string, options: CallOptions = {}): Promise<ChangeOf<'addMember'>> {
    return this.#caller.change<'addMember'>(withJson('POST', MEMBERS, { address }), never(options))
  }

  /** Replaces a member by the empty node at an address. The answer comes as for `addMember`. */
  replaceMember(
    nodeId: string,
    address: string,
    options: CallOptions = {},
  ): Promise<ChangeOf<'replaceMember'>> {
    const request = withJson('PUT', `${MEMBERS}/${segmentOf(nodeId)}`, { address })
    return this.#caller.change<'replaceMember'>(request, never(options))
  }

  /** Removes a member. The answer comes as for `addMember`. */
  removeMember(nodeId: string, options: CallOptions = {}): Promise<ChangeOf<'removeMember'>> {
    const request = { method: 'DELETE', path: `${MEMBERS}/${segmentOf(nodeId)}` } as const
    return this.#caller.change<'removeMember'>(request, never(options))
  }
}

/** API keys. */
export class ApiKeys {
  readonly #caller: Caller

  constructor(caller: Caller) {
    this.#caller = caller
  }

  /** Who this client is, as the connector sees it. */
  caller(options: CallOptions = {}): Promise<ReadOf<'getCaller'>> {
    return this.#caller.read<'getCaller'>('/v1/caller', options)
  }

  /** Makes a key. A request that may have made one is not repeated: it would make a second one. */
  create(key: CreateKey, options: CallOptions = {}): Promise<ChangeOf<'createKey'>> {
    return this.#caller.change<'createKey'>(withJson('POST', '/v1/key', key), never(options))
  }

  /** One page of the keys, without their secrets. */
  page(
    query: Readonly<{ after?: string | undefined; limit?: number | undefined }>,
    options: CallOptions = {},
  ): Promise<ReadOf<'listKeys'>> {
    return this.#caller.read<'listKeys'>(withQuery('/v1/key', query), options)
  }

  /** Gives a key another secret. A request that may have done so is not repeated. */
  rotate(keyId: string, rotation: RotateKey, options: CallOptions = {}): Promise<ChangeOf<'rotateKey'>> {
    const request = withJson('POST', `/v1/key/${segmentOf(keyId)}/rotate`, rotation)
    return this.#caller.change<'rotateKey'>(request, never(options))
  }

  revoke(keyId: string, options: CallOptions = {}): Promise<ChangeOf<'revokeKey'>> {
    const request = { method: 'DELETE', path: `/v1/key/${segmentOf(keyId)}` } as const
    return this.#caller.change<'revokeKey'>(request, { ...options, repeats: 'idempotent' })
  }
}

/** Groups and members as they are stored, for backups. */
export class Backup {
  readonly #caller: Caller

  constructor(caller: Caller) {
    this.#caller = caller
  }

  /** One page of groups. `limit`: 1 to 1,000. */
  groups(
    query: Readonly<{ after?: string | undefined; limit: number }>,
    options: CallOptions = {},
  ): Promise<ReadOf<'backUpGroups'>> {
    return this.#caller.read<'backUpGroups'>(withQuery('/v1/backup', query), options)
  }

  /** One page of the members of all groups. `after`: a place that the page before names. */
  members(
    query: Readonly<{ after?: string | undefined; limit: number }>,
    options: CallOptions = {},
  ): Promise<ReadOf<'backUpGroupMembers'>> {
    return this.#caller.read<'backUpGroupMembers'>(withQuery('/v1/backup/members', query), options)
  }

  /** Restores 1 to 256 groups. It may be repeated: a group that is already there is not changed. */
  restoreGroups(
    groups: readonly StoredGroup[],
    options: CallOptions = {},
  ): Promise<ChangeOf<'restoreGroups'>> {
    const request = withJson('POST', '/v1/restore', { groups })
    return this.#caller.change<'restoreGroups'>(request, { ...options, repeats: 'idempotent' })
  }

  /** Restores 1 to 256 members of groups that exist. It may be repeated. */
  restoreMembers(
    members: readonly StoredGroupMember[],
    options: CallOptions = {},
  ): Promise<ChangeOf<'restoreGroupMembers'>> {
    const request = withJson('POST', '/v1/restore/members', { members })
    return this.#caller.change<'restoreGroupMembers'>(request, { ...options, repeats: 'idempotent' })
  }
}

function never(options: CallOptions): CallOptions & Readonly<{ repeats: 'never' }> {
  return { ...options, repeats: 'never' }
}
