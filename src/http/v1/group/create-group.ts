import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { CreateGroupBody, Group } from '../../../api/group-schemas.ts'
import { createGroup } from '../../../group/create-group.ts'
import { authorOfRequest } from '../../author.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { JSON_BODY_PROBLEMS, takeJsonBodies } from '../../json-bodies.ts'
import { decidedGroup } from '../../outcome.ts'
import { repeatableRequest } from '../../repeatable-request.ts'
import { groupPath, sendGroup } from './group-reply.ts'

const MEDIA_TYPES = ['application/json']

const schema = {
  operationId: 'createGroup',
  tags: ['Groups'],
  summary: 'Create a group',
  description:
    'If many clients create the same id at the same time, exactly one gets 201, and the others get 409. After a 504, repeat the request with the same `Idempotency-Key`, or read the group to see whether your create succeeded.',
  consumes: MEDIA_TYPES,
  requestHeaders: ['Idempotency-Key'],
  body: CreateGroupBody,
  response: {
    201: answer(
      'The group, as it was created. For a repetition with the same `Idempotency-Key`: the group as it is.',
      Group,
      { headers: ['ETag', 'Location', 'Idempotency-Replayed'] },
    ),
  },
  problems: [
    ...JSON_BODY_PROBLEMS,
    'group_exists',
    'idempotency_key_reused',
    'unreadable_group',
    'unavailable',
    'outcome_unknown',
  ],
} as const

/** `POST /v1/group`. */
export function createGroupRoute(dependencies: Dependencies): FastifyPluginAsyncTypebox {
  const { engine, clock, newIncarnation, retryAfterSeconds } = dependencies
  const { registry } = engine
  return async (app) => {
    takeJsonBodies(app, MEDIA_TYPES)
    app.post('/v1/group', { config: { cost: 'key' }, schema }, async (request, reply) => {
      const { groupId, description, labels } = request.body
      const now = clock.now().toISOString()
      const repeatable = repeatableRequest(request)
      const command = createGroup({
        groupId,
        description,
        labels,
        now,
        author: authorOfRequest(request),
        incarnation: newIncarnation(),
        request: repeatable,
      })
      const group = decidedGroup(reply, await registry.change(groupId, command), retryAfterSeconds)
      if (group === undefined) return reply
      return sendGroup(reply.code(201).header('location', groupPath(groupId)), group)
    })
  }
}
