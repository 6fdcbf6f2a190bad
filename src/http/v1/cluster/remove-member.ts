import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { MemberParams } from '../../../api/member-schemas.ts'
import type { MemberChanges } from '../../../engines/engine.ts'
import type { Dependencies } from '../../dependencies.ts'
import { dropBodies } from '../../json-bodies.ts'
import { MEMBER_PATH, sendChange } from './member-request.ts'

/** `DELETE /v1/cluster/members/{nodeId}`. */
export function removeMemberRoute(
  members: MemberChanges,
  { retryAfterSeconds }: Dependencies,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    dropBodies(app)
    app.delete(MEMBER_PATH, { schema: { params: MemberParams } }, async ({ params }, reply) =>
      sendChange(reply, await members.remove(params.nodeId), retryAfterSeconds),
    )
  }
}
