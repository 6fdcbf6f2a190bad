import type { Command, Group } from './group.ts'
import { sameGroup } from './same-group.ts'

/**
 * Restores a group as it was, with its version, incarnation and times, so that the entity tags that clients
 * keep are still valid. It begins a new life (`lifeOf`), so it has none of the members that the group had in
 * this cluster before. If the same group exists already, it is left unchanged, in its life, so a restore may
 * be repeated. Refusals: `group_exists`.
 *
 * @param life a new one for every request
 */
export function restoreGroup(backup: Omit<Group, 'life'>, life: string): Command {
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
  }
  return (group) => {
    if (group === undefined) return { kind: 'changed', group: restored, answer: restored }
    if (sameGroup(group, restored)) return { kind: 'unchanged', answer: group }
    return { kind: 'refused', refusal: 'group_exists' }
  }
}
