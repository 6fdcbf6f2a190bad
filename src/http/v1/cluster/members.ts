import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { MemberBody, MemberParams } from '../../../api/member-schemas.ts'
import type { ChangeResult, MemberChanges } from '../../../engines/engine.ts'
import { parseAddress } from '../../../process/address.ts'
import type { Dependencies } from '../../dependencies.ts'
import { takeJsonBodies } from '../../json-bodies.ts'
import { sendFailure } from '../../outcome.ts'
import { sendProblem } from '../../problem.ts'
import { invalidRequest } from '../../request-error.ts'

export const MEMBERS_PATH = '/v1/cluster/members'
const MEMBER_PATH = `${MEMBERS_PATH}/:nodeId`

/** `POST /v1/cluster/members` adds a member, `PUT` and `DELETE` with a node id replace and remove one. */
export function memberRoutes(
  members: MemberChanges,
  { retryAfterSeconds }: Dependencies,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    takeJsonBodies(app, ['application/json'])
    app.post(MEMBERS_PATH, { schema: { body: MemberBody } }, async ({ body }, reply) =>
      sendChange(reply, await members.add(addressIn(body)), retryAfterSeconds),
    )
    app.put(
      MEMBER_PATH,
      { schema: { params: MemberParams, body: MemberBody } },
      async ({ params, body }, reply) =>
        sendChange(reply, await members.replace(params.nodeId, addressIn(body)), retryAfterSeconds),
    )
    app.delete(MEMBER_PATH, { schema: { params: MemberParams } }, async ({ params }, reply) =>
      sendChange(reply, await members.remove(params.nodeId), retryAfterSeconds),
    )
  }
}

function addressIn({ address }: MemberBody): string {
  const parsed = parseAddress(address)
  if (parsed === undefined) {
    throw invalidRequest([
      { field: 'address', message: 'must be host:port, like 10.0.0.4:8001 or [::1]:8001' },
    ])
  }
  return parsed
}

/** 202: it is chosen, and goes on by itself. */
function sendChange(reply: FastifyReply, result: ChangeResult, retryAfterSeconds: number): FastifyReply {
  if (result.kind === 'accepted') return reply.code(202).send(result.change)
  if (result.kind === 'refused') return sendProblem(reply, result.code, { detail: result.reason })
  return sendFailure(reply, result, retryAfterSeconds)
}
