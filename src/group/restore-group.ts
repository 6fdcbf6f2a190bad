import type { Command, Group } from './group.ts'
import { sameGroup } from './same-group.ts'

/**
 * Brings a group back as it was, with its version, incarnation and times, so that the entity tags that
 * clients keep still hold. One that is there already, and the same in all of that, is left unchanged: a
 * restore may be repeated. Refusals: `group_exists`.
 */
export function restoreGroup(backup: Group): Command {
  const { groupId, description, labels, version, incarnation, createdAt, updatedAt } = backup
  // Stored in the order, and without what is left out, of `createGroup`.
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
