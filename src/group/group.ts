/**
 * The entity. Its commands are pure functions from the group there is to what becomes of it, one in each
 * file.
 */

export type Labels = Readonly<{ [key: string]: string }>

/** A live group. Times are ISO 8601 in UTC with milliseconds. */
export type Group = Readonly<{
  groupId: string
  description?: string
  labels?: Labels
  /** From 1, one higher with every change of this life. */
  version: number
  /**
   * Drawn when the group is created; with `version` it makes an ETag that no other life of the id repeats.
   */
  incarnation: string
  createdAt: string
  updatedAt: string
}>

/** Why a command changed nothing although it was meant to. */
export type Refusal =
  | 'group_exists'
  | 'group_not_found'
  /** `If-Match` names another version than the group has. */
  | 'version_mismatch'
  /** `If-None-Match` names the version that the group has. */
  | 'precondition_failed'
  | 'too_many_labels'

/**
 * What a command decides.
 *
 * - `changed`: `group` is what is stored from now on (`undefined`: deleted); `answer` is what the client is
 *   shown;
 * - `unchanged`: there was nothing to change; `answer` is the group as it is;
 * - `refused`: the state does not permit it; nothing changes.
 */
export type Decision =
  | Readonly<{ kind: 'changed'; group: Group | undefined; answer: Group }>
  | Readonly<{ kind: 'unchanged'; answer: Group }>
  | Readonly<{ kind: 'refused'; refusal: Refusal }>

export type Command = (group: Group | undefined) => Decision
