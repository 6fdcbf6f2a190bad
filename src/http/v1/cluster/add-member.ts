import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { CHANGE_EXAMPLES, MemberBody, MembershipChange } from '../../../api/member-schemas.ts'
import type { MemberChanges } from '../../../engines/engine.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { JSON_BODY_PROBLEMS, takeJsonBodies } from '../../json-bodies.ts'
import {
  addressIn,
  CHANGE_GOES_ON,
  CHANGE_PROBLEMS,
  MEMBERS_PATH,
  NEWCOMER_PROBLEMS,
  sendChange,
} from './member-request.ts'

const MEDIA_TYPES = ['application/json']

const schema = {
  operationId: 'addMember',
  tags: ['Operations'],
  summary: 'Add a member',
  description: `Adds a node as a member. The node must have an empty data directory. ${CHANGE_GOES_ON}`,
  consumes: MEDIA_TYPES,
  body: MemberBody,
  response: { 202: answer('The change is chosen.', MembershipChange, { example: CHANGE_EXAMPLES.add }) },
  problems: [
    ...JSON_BODY_PROBLEMS,
    ...CHANGE_PROBLEMS,
    ...NEWCOMER_PROBLEMS,
    'too_few_members',
    'too_many_members',
  ],
} as const

/** `POST /v1/cluster/members`. */
export function addMemberRoute(
  members: MemberChanges,
  { retryAfterSeconds }: Dependencies,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    takeJsonBodies(app, MEDIA_TYPES)
    app.post(MEMBERS_PATH, { schema }, async ({ body }, reply) =>
      sendChange(reply, await members.add(addressIn(body)), retryAfterSeconds),
    )
  }
}
