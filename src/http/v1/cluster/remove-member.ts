import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { CHANGE_EXAMPLES, MemberParams, MembershipChange } from '../../../api/member-schemas.ts'
import type { MemberChanges } from '../../../engines/engine.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { dropBodies } from '../../json-bodies.ts'
import { CHANGE_GOES_ON, CHANGE_PROBLEMS, MEMBER_PATH, sendChange } from './member-request.ts'

const schema = {
  operationId: 'removeMember',
  tags: ['Operations'],
  summary: 'Remove a member',
  description: `Removes a member, which may answer or not. If the node is still joining, its addition is taken back. A body is ignored. ${CHANGE_GOES_ON}`,
  params: MemberParams,
  response: { 202: answer('The change is chosen.', MembershipChange, { example: CHANGE_EXAMPLES.remove }) },
  problems: [...CHANGE_PROBLEMS, 'invalid_path', 'member_not_found', 'too_few_members', 'body_too_large'],
} as const

/** `DELETE /v1/cluster/members/{nodeId}`. */
export function removeMemberRoute(
  members: MemberChanges,
  { retryAfterSeconds }: Dependencies,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    dropBodies(app)
    app.delete(MEMBER_PATH, { schema }, async ({ params }, reply) =>
      sendChange(reply, await members.remove(params.nodeId), retryAfterSeconds),
    )
  }
}
