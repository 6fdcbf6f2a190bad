import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Group, UpdateGroupBody } from '../../../api/group-schemas.ts'
import { updateGroup } from '../../../group/update-group.ts'
import { authorOfRequest } from '../../author.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { JSON_BODY_PROBLEMS, takeJsonBodies } from '../../json-bodies.ts'
import { decidedGroup } from '../../outcome.ts'
import { preconditionsOfChange } from '../../preconditions.ts'
import { repeatableRequest } from '../../repeatable-request.ts'
import { sendGroup } from './group-reply.ts'
import { GROUP_PATH, GroupParams } from './group-request.ts'

const MEDIA_TYPES = ['application/merge-patch+json', 'application/json']

const schema = {
  operationId: 'updateGroup',
  tags: ['Groups'],
  summary: 'Change a group',
  description:
    'The body is a JSON merge patch (RFC 7396): fields that it does not have stay, and null removes a field. A patch that changes nothing keeps the version and the times.',
  params: GroupParams,
  requestHeaders: ['If-Match', 'If-None-Match', 'Idempotency-Key'],
  consumes: MEDIA_TYPES,
  body: UpdateGroupBody,
  response: { 200: answer('The group, as it is now.', Group, { headers: ['ETag', 'Idempotency-Replayed'] }) },
  problems: [
    ...JSON_BODY_PROBLEMS,
    'invalid_path',
    'too_many_labels',
    'group_not_found',
    'version_mismatch',
    'idempotency_key_reused',
    'unreadable_group',
    'unavailable',
    'outcome_unknown',
  ],
} as const

/** `PATCH /v1/group/{groupId}`. */
export function updateGroupRoute({
  engine: { registry },
  clock,
  retryAfterSeconds,
}: Dependencies): FastifyPluginAsyncTypebox {
  return async (app) => {
    takeJsonBodies(app, MEDIA_TYPES)
    app.patch(GROUP_PATH, { config: { hasEntityTag: true, cost: 'key' }, schema }, async (request, reply) => {
      const now = clock.now().toISOString()
      const command = updateGroup({
        patch: request.body,
        now,
        author: authorOfRequest(request),
        request: repeatableRequest(request),
        ...preconditionsOfChange(request),
      })
      const outcome = await registry.change(request.params.groupId, command)
      const group = decidedGroup(reply, outcome, retryAfterSeconds)
      return group === undefined ? reply : sendGroup(reply, group)
    })
  }
}
