import { type EtagCondition, matchesStrongly } from './etag.ts'
import type { Command } from './group.ts'

/** Deletes a group. Refusals, in the order they are checked: `group_not_found`, `version_mismatch`. */
export function deleteGroup({ ifMatch }: Readonly<{ ifMatch: EtagCondition | undefined }>): Command {
  return (group) => {
    if (group === undefined) return { kind: 'refused', refusal: 'group_not_found' }
    if (ifMatch !== undefined && !matchesStrongly(ifMatch, group)) {
      return { kind: 'refused', refusal: 'version_mismatch' }
    }
    return { kind: 'changed', group: undefined, answer: group }
  }
}
