import type { Command, Group } from './group.ts'
import { sameGroup } from './same-group.ts'

/**
 * Restores a group as it was, with its version, incarnation and times, so that the entity tags that clients
 * keep are still valid. If the same group exists already, it is left unchanged, so a restore may be repeated.
 * Refusals: `group_exists`.
 */
export function restoreGroup(backup: Group): Command {
  const { groupId, description, labels, version, incarnation, createdAt, updatedAt } = backup
  // The same order of fields as in `createGroup`, and without empty fields, so that the bytes are equal.
  const restored = {
    groupId,
    ...(description === undefined ? {} : { description }),
    ...(labels === undefined || Object.keys(labels).length === 0 ? {} : { labels }),
    version,
    incarnation,
    createdAt,
    updatedAt,
  }
  return (group) => {
    if (group === undefined) return { kind: 'changed', group: restored, answer: restored }
    if (sameGroup(group, restored)) return { kind: 'unchanged', answer: group }
    return { kind: 'refused', refusal: 'group_exists' }
  }
}
