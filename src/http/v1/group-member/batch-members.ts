import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  BATCH_MEMBERS_MAX,
  GroupMemberBatchBody,
  GroupMemberBatchResult,
} from '../../../api/group-member-schemas.ts'
import type { Problem } from '../../../api/problem-schema.ts'
import { etagOf } from '../../../group/etag.ts'
import type { GroupMemberDecision } from '../../../group/group-member.ts'
import type { GroupMembers } from '../../../group/group-members.ts'
import { putGroupMember, removeGroupMember } from '../../../group/put-group-member.ts'
import type { Outcome } from '../../../group/registry.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { JSON_BODY_PROBLEMS, takeJsonBodies } from '../../json-bodies.ts'
import { problemOf } from '../../problem.ts'
import { invalidRequest } from '../../request-error.ts'
import { GroupParams } from '../group/group-request.ts'
import { REFUSAL_DETAILS } from './member-reply.ts'
import { MEMBERS_PATH } from './member-request.ts'

/** The largest body, in bytes: 1,000 ids and roles of common length. */
const BATCH_BODY_BYTES_MAX = 1_024 * 1_024

/** How many members are worked on at the same time. */
const AT_ONCE = 128

const MEDIA_TYPES = ['application/json']

const schema = {
  operationId: 'batchGroupMembers',
  tags: ['Group members'],
  summary: 'Add and remove many members of a group',
  description:
    'At most 1,000 members, and a body of at most 1 MiB. It is not one transaction: each member is added or removed by itself, as by a request of its own, and the answer has the status of each. First all of `add` is done, and then all of `remove`. If the group does not exist, each status is 404.',
  consumes: MEDIA_TYPES,
  params: GroupParams,
  body: GroupMemberBatchBody,
  response: { 200: answer('What became of each member, in order.', GroupMemberBatchResult) },
  problems: [...JSON_BODY_PROBLEMS, 'invalid_path'],
} as const

/** `POST /v1/group/{groupId}/members:batch`. Two colons in the path of a route stand for one. */
export function batchGroupMembersRoute(
  groupMembers: GroupMembers,
  { clock, newIncarnation }: Dependencies,
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
      const now = clock.now().toISOString()
      const added = await inTurns(add, ({ memberId, role }) => {
        const command = putGroupMember({ memberId, role, now, incarnation: newIncarnation() })
        return groupMembers.put(groupId, memberId, command)
      })
      const removed = await inTurns(remove, (memberId) =>
        groupMembers.remove(groupId, memberId, removeGroupMember({})),
      )
      return {
        add: add.map(({ memberId }, index) => ({ memberId, ...shown(added[index]!, request.id) })),
        remove: remove.map((memberId, index) => ({ memberId, ...shown(removed[index]!, request.id) })),
      }
    })
  }
}

async function inTurns<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = []
  for (let first = 0; first < all.length; first += AT_ONCE)
    results.push(...(await Promise.all(all.slice(first, first + AT_ONCE).map(work))))
  return results
}

/** What the request for one member alone would have been answered. */
function shown(
  outcome: Outcome<GroupMemberDecision>,
  requestId: string,
): Readonly<{ status: number; etag: string }> | Readonly<{ status: number; problem: Problem }> {
  if (outcome.kind !== 'done') {
    const { code, ...extras } = FAILURES[outcome.kind]
    return failed(problemOf(code, requestId, { detail: `${sentence(outcome.reason)}.`, ...extras }))
  }
  const decision = outcome.value
  if (decision.kind === 'refused') {
    const { refusal } = decision
    return failed(problemOf(refusal, requestId, { detail: REFUSAL_DETAILS[refusal] }))
  }
  return { status: decision.kind === 'added' ? 201 : 200, etag: etagOf(decision.answer) }
}

const FAILURES = {
  not_applied: { code: 'unavailable', outcome: 'not_applied' },
  unreadable: { code: 'unreadable_group', outcome: 'not_applied' },
  unknown: { code: 'outcome_unknown', outcome: 'unknown' },
} as const satisfies { [kind in Exclude<Outcome<unknown>['kind'], 'done'>]: object }

function failed(problem: Problem) {
  return { status: problem.status, problem }
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
