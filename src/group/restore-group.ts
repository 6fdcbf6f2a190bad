import { type Author, authorOf } from './author.ts'
import type { Command, Group } from './group.ts'
import { sameGroup } from './same-group.ts'

export type Restore = Readonly<{
  /** A new one for every request. */
  life: string
  author: Author
}>

/**
 * Restores a group as it was, with its version, incarnation and times, so that the entity tags that clients
 * keep are still valid. It begins a new life (`lifeOf`), so it has none of the members that the group had in
 * this cluster before. If the same group exists already, it is left unchanged, in its life, so a restore may
 * be repeated. Refusals: `group_exists`.
 *
 * The group keeps the author of its last change. If the backup has none, because an older version has made
 * it, the author of the restore is kept.
 */
export function restoreGroup(backup: Omit<Group, 'life'>, { life, author }: Restore): Command {
  const { groupId, description, labels, version, incarnation, createdAt, updatedAt } = backup
  // The same order of fields as in `createGroup`, and without empty fields, so that the bytes are equal.
  const restored = {
    groupId,
    ...(description === undefined ? {} : { description }),
    ...(labels === undefined || Object.keys(labels).length === 0 ? {} : { labels }),
    version,
    incarnation,
    life,
    createdAt,
    updatedAt,
    ...(authorOf(backup) ?? author),
  }
  return (group) => {
    if (group === undefined) return { kind: 'changed', group: restored, answer: restored }
    if (sameGroup(group, restored)) return { kind: 'unchanged', answer: group }
    return { kind: 'refused', refusal: 'group_exists' }
  }
}
