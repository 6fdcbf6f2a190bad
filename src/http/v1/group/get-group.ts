import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Group } from '../../../api/group-schemas.ts'
import { etagOf } from '../../../group/etag.ts'
import { brokenPrecondition } from '../../../group/preconditions.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer, emptyAnswer } from '../../docs/describe.ts'
import { sendFailure, sendRefusal } from '../../outcome.ts'
import { preconditionsOfRead } from '../../preconditions.ts'
import { sendShown } from './group-reply.ts'
import { GROUP_PATH, GroupParams } from './group-request.ts'

const schema = {
  operationId: 'getGroup',
  tags: ['Groups'],
  summary: 'Read a group',
  description:
    'The current state of the group. It includes every change that was answered before the read began, through any connector.',
  describedHead: { operationId: 'headGroup', summary: 'Read the headers of a group' },
  params: GroupParams,
  requestHeaders: ['If-Match', 'If-None-Match'],
  response: {
    200: answer('The group.', Group, { headers: ['ETag', 'Cache-Control'] }),
    304: emptyAnswer('The group has one of the entity tags in `If-None-Match`.', ['ETag', 'Cache-Control']),
  },
  problems: ['invalid_path', 'group_not_found', 'version_mismatch', 'unreadable_group', 'unavailable'],
} as const

/** `GET /v1/group/{groupId}`. Fastify adds the HEAD route. */
export function getGroupRoute({
  engine: { registry },
  retryAfterSeconds,
}: Dependencies): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(GROUP_PATH, { config: { hasEntityTag: true, cost: 'key' }, schema }, async (request, reply) => {
      const preconditions = preconditionsOfRead(request)
      const outcome = await registry.show(request.params.groupId)
      if (outcome.kind !== 'done') return sendFailure(reply, outcome, retryAfterSeconds)
      const group = outcome.value
      if (group === undefined) return sendRefusal(reply, 'group_not_found')
      const broken = brokenPrecondition(preconditions, group)
      if (broken === 'version_mismatch') return sendRefusal(reply, broken)
      // A cache may keep the answer, but before it uses it, it must ask whether the group is still the same.
      reply.header('cache-control', 'no-cache')
      if (broken !== undefined) return reply.code(304).header('etag', etagOf(group)).send()
      return sendShown(reply, group)
    })
  }
}
