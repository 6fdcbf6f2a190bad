import type { Command } from './group.ts'
import { brokenPrecondition, type Preconditions } from './preconditions.ts'

/**
 * Deletes a group. Refusals, in the order of the checks: `group_not_found`, then a broken precondition.
 */
export function deleteGroup(preconditions: Preconditions): Command {
  return (group) => {
    if (group === undefined) return { kind: 'refused', refusal: 'group_not_found' }
    const refusal = brokenPrecondition(preconditions, group)
    if (refusal !== undefined) return { kind: 'refused', refusal }
    return { kind: 'changed', group: undefined, answer: group }
  }
}
