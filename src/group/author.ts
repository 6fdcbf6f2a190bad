import type { Group } from './group.ts'

/** Who makes a change, and by which request. It is kept in the group, so no change is without its author. */
export type Author = Readonly<{
  /** The kind of the caller and its id, like `key:k7Gh3abc`. `anonymous:everyone`: nobody was asked. */
  updatedBy: string
  /** The id of the request. */
  requestId: string
}>

/**
 * The author of the last change of a group or of a group member. `undefined`: an older version of this
 * program has made it.
 */
export function authorOf({
  updatedBy,
  requestId,
}: Pick<Group, 'updatedBy' | 'requestId'>): Author | undefined {
  return updatedBy === undefined || requestId === undefined ? undefined : { updatedBy, requestId }
}
