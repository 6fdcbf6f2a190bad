import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { CHANGE_EXAMPLES, MemberBody, MemberParams, MembershipChange } from '../../../api/member-schemas.ts'
import type { MemberChanges } from '../../../engines/engine.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { JSON_BODY_PROBLEMS, takeJsonBodies } from '../../json-bodies.ts'
import {
  addressIn,
  CHANGE_GOES_ON,
  CHANGE_PROBLEMS,
  MEMBER_PATH,
  NEWCOMER_PROBLEMS,
  sendChange,
} from './member-request.ts'

const MEDIA_TYPES = ['application/json']

const schema = {
  operationId: 'replaceMember',
  tags: ['Operations'],
  summary: 'Replace a member',
  description: `Replaces a member, which may answer or not, by a node with an empty data directory. A member that has only lost its disk is replaced without this request. ${CHANGE_GOES_ON}`,
  params: MemberParams,
  consumes: MEDIA_TYPES,
  body: MemberBody,
  response: { 202: answer('The change is chosen.', MembershipChange, { example: CHANGE_EXAMPLES.replace }) },
  problems: [
    ...JSON_BODY_PROBLEMS,
    ...CHANGE_PROBLEMS,
    ...NEWCOMER_PROBLEMS,
    'invalid_path',
    'member_not_found',
  ],
} as const

/** `PUT /v1/cluster/members/{nodeId}`. */
export function replaceMemberRoute(
  members: MemberChanges,
  { retryAfterSeconds }: Dependencies,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    takeJsonBodies(app, MEDIA_TYPES)
    app.put(MEMBER_PATH, { schema }, async ({ params, body }, reply) =>
      sendChange(reply, await members.replace(params.nodeId, addressIn(body)), retryAfterSeconds),
    )
  }
}
