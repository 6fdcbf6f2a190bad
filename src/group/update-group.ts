import type { Command, Group, Labels } from './group.ts'
import { LABELS_MAX } from './limits.ts'
import { brokenPrecondition, type Preconditions } from './preconditions.ts'
import { sameLabels } from './same-group.ts'

/** A JSON merge patch (RFC 7396) of the fields that a client may change: `null` removes a field. */
export type GroupPatch = Readonly<{
  description?: string | null | undefined
  labels?: Readonly<{ [key: string]: string | null }> | null | undefined
}>

export type UpdateGroup = Preconditions &
  Readonly<{
    patch: GroupPatch
    /** The time of the request, ISO 8601 in UTC with milliseconds. */
    now: string
  }>

/**
 * Patches a group. A patch that changes nothing leaves version and times as they are. Refusals, in the order
 * of the checks: `group_not_found`, a broken precondition, `too_many_labels`.
 */
export function updateGroup({ patch, now, ...preconditions }: UpdateGroup): Command {
  return (group) => {
    if (group === undefined) return { kind: 'refused', refusal: 'group_not_found' }
    const refusal = brokenPrecondition(preconditions, group)
    if (refusal !== undefined) return { kind: 'refused', refusal }
    const description = patch.description === undefined ? group.description : (patch.description ?? undefined)
    const labels = mergeLabels(group.labels, patch.labels)
    if (Object.keys(labels).length > LABELS_MAX) return { kind: 'refused', refusal: 'too_many_labels' }
    if (description === group.description && sameLabels(labels, group.labels ?? {})) {
      return { kind: 'unchanged', answer: group }
    }
    const updated = withContent(group, description, labels, now)
    return { kind: 'changed', group: updated, answer: updated }
  }
}

function withContent(group: Group, description: string | undefined, labels: Labels, now: string): Group {
  return {
    groupId: group.groupId,
    ...(description === undefined ? {} : { description }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    version: group.version + 1,
    incarnation: group.incarnation,
    ...(group.life === undefined ? {} : { life: group.life }),
    createdAt: group.createdAt,
    // The clocks of connectors differ, but the time of a group never goes back.
    updatedAt: now > group.updatedAt ? now : group.updatedAt,
  }
}

/** Uses a Map, because a label may be named `__proto__` like any other name. */
function mergeLabels(labels: Labels | undefined, patch: GroupPatch['labels']): Labels {
  if (patch === null) return {}
  const merged = new Map(Object.entries(labels ?? {}))
  for (const [key, value] of Object.entries(patch ?? {})) {
    if (value === null) merged.delete(key)
    else merged.set(key, value)
  }
  return Object.fromEntries(merged)
}
