/**
 * The members of a group. In code they are always called *group members*: a member without more is a node of
 * the cluster. As for groups, a command is a pure function from the group member that is there to a decision.
 */

/** A group member. Times are ISO 8601 in UTC with milliseconds. */
export type GroupMember = Readonly<{
  memberId: string
  role?: string
  /** 1 for a new one, and one higher after every change. */
  version: number
  /** Drawn when the group member is added. With `version` it makes an ETag that is never used again. */
  incarnation: string
  addedAt: string
  updatedAt: string
  /** Who has made the last change (author.ts). Missing if an older version of this program has made it. */
  updatedBy?: string
  /** By which request. Given together with `updatedBy`. */
  requestId?: string
}>

/** Why a command on a group member was refused. */
export type GroupMemberRefusal =
  | 'group_not_found'
  | 'group_member_not_found'
  /** `If-Match` does not name the version of the group member. */
  | 'version_mismatch'
  /** `If-None-Match` names the version of the group member. */
  | 'precondition_failed'

/** What a command decides, as in `Decision`. */
export type GroupMemberDecision =
  | Readonly<{ kind: 'added' | 'changed' | 'removed' | 'unchanged'; answer: GroupMember }>
  | Readonly<{ kind: 'refused'; refusal: GroupMemberRefusal }>

/**
 * A command on a group member of a group that exists. `next` is the group member afterwards, and is given if
 * something changes.
 */
export type GroupMemberCommand = (
  member: GroupMember | undefined,
) => Readonly<{ decision: GroupMemberDecision; next?: Readonly<{ member: GroupMember | undefined }> }>
