import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  BATCH_MEMBERS_MAX,
  GroupMemberBatchBody,
  GroupMemberBatchResult,
} from '../../../api/group-member-schemas.ts'
import { PROBLEMS } from '../../../api/problem-codes.ts'
import type { Problem } from '../../../api/problem-schema.ts'
import { etagOf } from '../../../group/etag.ts'
import type { GroupMemberDecision } from '../../../group/group-member.ts'
import type { GroupMembers } from '../../../group/group-members.ts'
import { putGroupMember, removeGroupMember } from '../../../group/put-group-member.ts'
import type { Outcome } from '../../../group/registry.ts'
import { authorOfRequest } from '../../author.ts'
import { BATCH_BODY_BYTES_MAX, Batch, requireDifferent } from '../../batch.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { JSON_BODY_PROBLEMS, takeJsonBodies } from '../../json-bodies.ts'
import { failureProblem, type Unsent } from '../../outcome.ts'
import { problemOf } from '../../problem.ts'
import { invalidRequest } from '../../request-error.ts'
import { GroupParams } from '../group/group-request.ts'
import { memberRefusalProblem } from './member-reply.ts'
import { MEMBERS_PATH } from './member-request.ts'

const MEDIA_TYPES = ['application/json']

const schema = {
  operationId: 'batchGroupMembers',
  tags: ['Group members'],
  summary: 'Add and remove many members of a group',
  description:
    'At most 1,000 members, and a body of at most 1 MiB. It is not one transaction: each member is added or removed by itself, as by a request of its own, and the answer has the status of each. A change that could not be begun within 2 seconds is told as `overloaded`: nothing was changed, and it may be sent again. First all of `add` is done, and then all of `remove`. Neither part may name a member twice. If the group does not exist, each status is 404.',
  consumes: MEDIA_TYPES,
  params: GroupParams,
  body: GroupMemberBatchBody,
  response: { 200: answer('What became of each member, in order.', GroupMemberBatchResult) },
  problems: [...JSON_BODY_PROBLEMS, 'invalid_path'],
} as const

type Done = Readonly<{ status: number; etag: string }>
type Failed = Readonly<{ status: number; problem: Problem }>

/** `POST /v1/group/{groupId}/members:batch`. Two colons in the path of a route stand for one. */
export function batchGroupMembersRoute(
  groupMembers: GroupMembers,
  { clock, newIncarnation, nowMs }: Dependencies,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    takeJsonBodies(app, MEDIA_TYPES)
    const options = { config: { cost: 'bulk' }, schema, bodyLimit: BATCH_BODY_BYTES_MAX } as const
    app.post(`${MEMBERS_PATH}::batch`, options, async (request) => {
      const { groupId } = request.params
      const { add = [], remove = [] } = request.body
      if (add.length + remove.length > BATCH_MEMBERS_MAX) {
        throw invalidRequest([
          { field: 'body', message: `must have at most ${BATCH_MEMBERS_MAX} members in all` },
        ])
      }
      requireDifferent(add.map(({ memberId }, index) => [`add.${index}.memberId`, memberId]))
      requireDifferent(remove.map((memberId, index) => [`remove.${index}`, memberId]))
      const now = clock.now().toISOString()
      const author = authorOfRequest(request)
      const batch = new Batch(nowMs)
      const refuse = (_: unknown, problem: Unsent) => failed(request.id, problem)
      const make = async (work: Promise<Outcome<GroupMemberDecision>>) => shown(await work, request.id)
      const added = await batch.makeAll(add, {
        make: ({ memberId, role }) => {
          const command = putGroupMember({ memberId, role, now, author, incarnation: newIncarnation() })
          return make(groupMembers.put(groupId, memberId, command))
        },
        refuse,
      })
      const removed = await batch.makeAll(remove, {
        make: (memberId) => make(groupMembers.remove(groupId, memberId, removeGroupMember({}))),
        refuse,
      })
      return {
        add: add.map(({ memberId }, index) => ({ memberId, ...added[index]! })),
        remove: remove.map((memberId, index) => ({ memberId, ...removed[index]! })),
      }
    })
  }
}

/** What the request for one member alone would have been answered. */
function shown(outcome: Outcome<GroupMemberDecision>, requestId: string): Done | Failed {
  if (outcome.kind !== 'done') return failed(requestId, failureProblem(outcome))
  const decision = outcome.value
  if (decision.kind === 'refused') return failed(requestId, memberRefusalProblem(decision.refusal))
  return { status: decision.kind === 'added' ? 201 : 200, etag: etagOf(decision.answer) }
}

function failed(requestId: string, { code, extras }: Unsent): Failed {
  return { status: PROBLEMS[code].status, problem: problemOf(code, requestId, extras) }
}
