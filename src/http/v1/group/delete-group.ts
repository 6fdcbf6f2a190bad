import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Group } from '../../../api/group-schemas.ts'
import { deleteGroup } from '../../../group/delete-group.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { dropBodies } from '../../json-bodies.ts'
import { decidedGroup } from '../../outcome.ts'
import { preconditionsOfChange } from '../../preconditions.ts'
import { sendGroup } from './group-reply.ts'
import { GROUP_PATH, GroupParams } from './group-request.ts'

const schema = {
  operationId: 'deleteGroup',
  tags: ['Groups'],
  summary: 'Delete a group',
  description: 'Afterwards the id can be used again. A body is ignored.',
  params: GroupParams,
  requestHeaders: ['If-Match', 'If-None-Match'],
  response: { 200: answer('The group, as it was before it was deleted.', Group, { headers: ['ETag'] }) },
  problems: [
    'invalid_path',
    'group_not_found',
    'version_mismatch',
    'body_too_large',
    'unreadable_group',
    'unavailable',
    'outcome_unknown',
  ],
} as const

/** `DELETE /v1/group/{groupId}`. */
export function deleteGroupRoute({
  engine: { registry },
  retryAfterSeconds,
}: Dependencies): FastifyPluginAsyncTypebox {
  return async (app) => {
    dropBodies(app)
    app.delete(
      GROUP_PATH,
      { config: { hasEntityTag: true, cost: 'key' }, schema },
      async (request, reply) => {
        const command = deleteGroup(preconditionsOfChange(request))
        const outcome = await registry.change(request.params.groupId, command)
        const group = decidedGroup(reply, outcome, retryAfterSeconds)
        return group === undefined ? reply : sendGroup(reply, group)
      },
    )
  }
}
