import type { Author } from './author.ts'
import type { Command, Labels } from './group.ts'
import { knownRequest, type RepeatableRequest, withRequest } from './repeatable.ts'

export type CreateGroup = Readonly<{
  groupId: string
  description?: string | undefined
  labels?: Labels | undefined
  /** The time of the request, ISO 8601 in UTC with milliseconds. */
  now: string
  author: Author
  /** A new one for every request. */
  incarnation: string
  /** Given if the client may repeat the request. */
  request?: RepeatableRequest | undefined
}>

/**
 * Creates a group. The same request again does nothing, as long as the group remembers it. Refusals:
 * `idempotency_key_reused`, `group_exists`.
 */
export function createGroup(command: CreateGroup): Command {
  const { groupId, description, labels, now, author, incarnation, request } = command
  const requests = withRequest(undefined, request)
  return (group) => {
    if (group !== undefined) {
      const known = knownRequest(group, request)
      if (known === 'same') return { kind: 'replayed', answer: group }
      return { kind: 'refused', refusal: known === 'other' ? 'idempotency_key_reused' : 'group_exists' }
    }
    const created = {
      groupId,
      ...(description === undefined ? {} : { description }),
      ...(labels === undefined || Object.keys(labels).length === 0 ? {} : { labels }),
      version: 1,
      incarnation,
      ...(requests === undefined ? {} : { requests }),
      createdAt: now,
      updatedAt: now,
      updatedBy: author.updatedBy,
      requestId: author.requestId,
    }
    return { kind: 'changed', group: created, answer: created }
  }
}
