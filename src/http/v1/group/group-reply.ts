import type { FastifyReply } from 'fastify'
import { etagOf } from '../../../group/etag.ts'
import type { Group, ShownGroup } from '../../../group/group.ts'
import { showGroup } from '../../../group/group-codec.ts'

/**
 * Answers with a group and its entity tag. The body does not show the incarnation: only the entity tag has
 * it.
 */
export function sendGroup(reply: FastifyReply, group: Group): FastifyReply {
  return sendShown(reply, showGroup(group))
}

/** As `sendGroup`, for a group that is shown as it is stored. */
export function sendShown(reply: FastifyReply, group: ShownGroup): FastifyReply {
  return reply.header('etag', etagOf(group)).type('application/json').send(group.json)
}

/** A group as clients see it. */
export function viewOf({ groupId, description, labels, version, ...rest }: Group) {
  const { createdAt, updatedAt, updatedBy, requestId } = rest
  return { groupId, description, labels, version, createdAt, updatedAt, updatedBy, requestId }
}

/** The path of a group. */
export function groupPath(groupId: string): string {
  return `/v1/group/${encodeURIComponent(groupId)}`
}
