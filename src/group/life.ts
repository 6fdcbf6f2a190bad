import type { Group } from './group.ts'

/**
 * The life of a group: the time from one creation or restore to the next deletion. Members belong to a life
 * and not to an id, so a group that is created again has none of the members that it had before, and one
 * write deletes a group with all its members.
 *
 * No two lives are equal. The incarnation of a created group is one, because a create is applied at most once
 * and each has an incarnation of its own. So groups that an older version has created have a life too. A
 * restore brings an incarnation back, possibly twice, so it draws a life.
 */
export function lifeOf({ life, incarnation }: Pick<Group, 'life' | 'incarnation'>): string {
  return life ?? incarnation
}
