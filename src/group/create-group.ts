import type { Command, Labels } from './group.ts'

export type CreateGroup = Readonly<{
  groupId: string
  description?: string | undefined
  labels?: Labels | undefined
  /** The time of the request, ISO 8601 in UTC with milliseconds. */
  now: string
  /** A new one for every request. */
  incarnation: string
}>

/** Creates a group. Refusals: `group_exists`. */
export function createGroup({ groupId, description, labels, now, incarnation }: CreateGroup): Command {
  return (group) => {
    if (group !== undefined) return { kind: 'refused', refusal: 'group_exists' }
    const created = {
      groupId,
      ...(description === undefined ? {} : { description }),
      ...(labels === undefined || Object.keys(labels).length === 0 ? {} : { labels }),
      version: 1,
      incarnation,
      createdAt: now,
      updatedAt: now,
    }
    return { kind: 'changed', group: created, answer: created }
  }
}
