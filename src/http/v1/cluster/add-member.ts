import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { MemberBody } from '../../../api/member-schemas.ts'
import type { MemberChanges } from '../../../engines/engine.ts'
import type { Dependencies } from '../../dependencies.ts'
import { takeJsonBodies } from '../../json-bodies.ts'
import { addressIn, MEMBERS_PATH, sendChange } from './member-request.ts'

/** `POST /v1/cluster/members`. */
export function addMemberRoute(
  members: MemberChanges,
  { retryAfterSeconds }: Dependencies,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    takeJsonBodies(app, ['application/json'])
    app.post(MEMBERS_PATH, { schema: { body: MemberBody } }, async ({ body }, reply) =>
      sendChange(reply, await members.add(addressIn(body)), retryAfterSeconds),
    )
  }
}
