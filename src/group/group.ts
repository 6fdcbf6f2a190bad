/**
 * The entity. A command is a pure function from the current group to a decision. Each command has a file of
 * its own.
 */

export type Labels = Readonly<{ [key: string]: string }>

/** A live group. Times are ISO 8601 in UTC with milliseconds. */
export type Group = Readonly<{
  groupId: string
  description?: string
  labels?: Labels
  /** 1 for a new group, and one higher after every change. */
  version: number
  /**
   * Made when the group is created. It tells the group from a later one with the same id, so `version` and
   * `incarnation` make an ETag that is never used again.
   */
  incarnation: string
  /**
   * Given if the group was restored: a restore keeps the incarnation, because clients keep ETags, but the
   * group begins a new life. See `lifeOf`.
   */
  life?: string
  /**
   * The last requests with idempotency keys that have made or changed the group, oldest first
   * (repeatable.ts). Clients do not see them.
   */
  requests?: readonly string[]
  createdAt: string
  updatedAt: string
  /** Who has made the last change (author.ts). Missing if an older version of this program has made it. */
  updatedBy?: string
  /** By which request. Given together with `updatedBy`. */
  requestId?: string
}>

/** What makes the entity tag of a group. */
export type Tagged = Pick<Group, 'version' | 'incarnation'>

/** A group as clients get it: `json` is without the incarnation, which only the entity tag has. */
export type ShownGroup = Tagged & Readonly<{ json: string }>

/** Why a command was refused. */
export type Refusal =
  | 'group_exists'
  | 'group_not_found'
  /** `If-Match` does not name the version of the group. */
  | 'version_mismatch'
  /** `If-None-Match` names the version of the group. */
  | 'precondition_failed'
  | 'too_many_labels'
  /** The idempotency key belongs to another request. */
  | 'idempotency_key_reused'

/**
 * What a command decides.
 *
 * - `changed`: `group` is the new state (`undefined`: deleted); `answer` is the group that the client gets;
 * - `unchanged`: the command changes nothing; `answer` is the group as it is;
 * - `replayed`: the same request was made before, and nothing changes now; `answer` is the group as it is;
 * - `refused`: the state of the group does not allow the command; nothing changes.
 */
export type Decision =
  | Readonly<{ kind: 'changed'; group: Group | undefined; answer: Group }>
  | Readonly<{ kind: 'unchanged' | 'replayed'; answer: Group }>
  | Readonly<{ kind: 'refused'; refusal: Refusal }>

export type Command = (group: Group | undefined) => Decision
