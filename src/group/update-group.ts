import { type Author, authorOf } from './author.ts'
import type { Command, Group, Labels } from './group.ts'
import { LABELS_MAX } from './limits.ts'
import { brokenPrecondition, type Preconditions } from './preconditions.ts'
import { knownRequest, type RepeatableRequest, withRequest } from './repeatable.ts'
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
    author: Author
    /** Given if the client may repeat the request. */
    request?: RepeatableRequest | undefined
  }>

/**
 * Patches a group. A patch that changes nothing leaves version and times as they are. The same request again
 * does nothing, as long as the group remembers it. Refusals, in the order of the checks: `group_not_found`,
 * `idempotency_key_reused`, a broken precondition, `too_many_labels`.
 */
export function updateGroup({ patch, now, author, request, ...preconditions }: UpdateGroup): Command {
  return (group) => {
    if (group === undefined) return { kind: 'refused', refusal: 'group_not_found' }
    const known = knownRequest(group, request)
    if (known === 'same') return { kind: 'replayed', answer: group }
    if (known === 'other') return { kind: 'refused', refusal: 'idempotency_key_reused' }
    const refusal = brokenPrecondition(preconditions, group)
    if (refusal !== undefined) return { kind: 'refused', refusal }
    const description = patch.description === undefined ? group.description : (patch.description ?? undefined)
    const labels = mergeLabels(group.labels, patch.labels)
    if (Object.keys(labels).length > LABELS_MAX) return { kind: 'refused', refusal: 'too_many_labels' }
    const requests = withRequest(group.requests, request)
    if (description === group.description && sameLabels(labels, group.labels ?? {})) {
      if (requests === group.requests) return { kind: 'unchanged', answer: group }
      // A repetition must do nothing, also after another client has changed the group.
      const { version, updatedAt } = group
      const same = withContent(group, {
        description,
        labels,
        requests,
        version,
        updatedAt,
        author: authorOf(group),
      })
      return { kind: 'changed', group: same, answer: same }
    }
    const updated = withContent(group, {
      description,
      labels,
      requests,
      version: group.version + 1,
      // The clocks of connectors differ, but the time of a group never goes back.
      updatedAt: now > group.updatedAt ? now : group.updatedAt,
      author,
    })
    return { kind: 'changed', group: updated, answer: updated }
  }
}

type Content = Readonly<{
  description: string | undefined
  labels: Labels
  requests: Group['requests']
  author: Author | undefined
}>

function withContent(
  { groupId, incarnation, life, createdAt }: Group,
  {
    description,
    labels,
    requests,
    version,
    updatedAt,
    author,
  }: Content & Pick<Group, 'version' | 'updatedAt'>,
): Group {
  return {
    groupId,
    ...(description === undefined ? {} : { description }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    version,
    incarnation,
    ...(life === undefined ? {} : { life }),
    ...(requests === undefined ? {} : { requests }),
    createdAt,
    updatedAt,
    ...author,
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
