import type { FastifyReply } from 'fastify'
import { etagOf } from '../../../group/etag.ts'
import type { Group } from '../../../group/group.ts'

/**
 * Answers with a group and its entity tag. The incarnation stays inside: it is seen in the entity tag alone.
 */
export function sendGroup(reply: FastifyReply, group: Group): FastifyReply {
  return reply
    .header('etag', etagOf(group))
    .type('application/json')
    .send(JSON.stringify(viewOf(group)))
}

/** A group as clients see it. */
export function viewOf({ groupId, description, labels, version, createdAt, updatedAt }: Group) {
  return { groupId, description, labels, version, createdAt, updatedAt }
}

/** Where a group is found. */
export function groupPath(groupId: string): string {
  return `/v1/group/${encodeURIComponent(groupId)}`
}
