import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { MemberBody, MemberParams } from '../../../api/member-schemas.ts'
import type { MemberChanges } from '../../../engines/engine.ts'
import type { Dependencies } from '../../dependencies.ts'
import { takeJsonBodies } from '../../json-bodies.ts'
import { addressIn, MEMBER_PATH, sendChange } from './member-request.ts'

/** `PUT /v1/cluster/members/{nodeId}`. */
export function replaceMemberRoute(
  members: MemberChanges,
  { retryAfterSeconds }: Dependencies,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    takeJsonBodies(app, ['application/json'])
    app.put(
      MEMBER_PATH,
      { schema: { params: MemberParams, body: MemberBody } },
      async ({ params, body }, reply) =>
        sendChange(reply, await members.replace(params.nodeId, addressIn(body)), retryAfterSeconds),
    )
  }
}
