import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  RestoreMembersBody,
  RestoreMembersResult,
  type StoredGroupMember,
} from '../../../api/member-backup-schemas.ts'
import type { Author } from '../../../group/author.ts'
import type { GroupMember } from '../../../group/group-member.ts'
import type { GroupMembers } from '../../../group/group-members.ts'
import { restoreGroupMember } from '../../../group/restore-group-member.ts'
import { authorOfRequest } from '../../author.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { JSON_BODY_PROBLEMS, takeJsonBodies } from '../../json-bodies.ts'
import { type Failure, sendFailure } from '../../outcome.ts'
import { failureOf, RESTORE_BODY_BYTES_MAX } from './restored-page.ts'

const MEDIA_TYPES = ['application/json']

const schema = {
  operationId: 'restoreGroupMembers',
  tags: ['Operations'],
  summary: 'Restore members of groups as they were',
  description:
    'Each member is added to its group with its version, ETag and times, unless somebody with its id is in the group. Groups are restored first: a member whose group does not exist is a conflict. The request may always be repeated. A body has at most 1 MiB. After a 504, some of the members may be restored. `cohort restore` sends a file in such pages.',
  consumes: MEDIA_TYPES,
  body: RestoreMembersBody,
  response: { 200: answer('How many members were restored, and which were not.', RestoreMembersResult) },
  problems: [...JSON_BODY_PROBLEMS, 'unreadable_group', 'unavailable', 'outcome_unknown'],
} as const

/** `POST /v1/restore/members`: restores a page of members of groups as they were. */
export function restoreMembersRoute(
  groupMembers: GroupMembers,
  { retryAfterSeconds }: Dependencies,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    takeJsonBodies(app, MEDIA_TYPES)
    const options = { config: { cost: 'bulk' }, schema, bodyLimit: RESTORE_BODY_BYTES_MAX } as const
    app.post('/v1/restore/members', options, async (request, reply) => {
      const { result, failures } = await restoreAll(
        groupMembers,
        request.body.members,
        authorOfRequest(request),
      )
      const failure = failureOf(result.restored, failures)
      return failure === undefined ? result : sendFailure(reply, failure, retryAfterSeconds)
    })
  }
}

async function restoreAll(
  groupMembers: GroupMembers,
  members: readonly StoredGroupMember[],
  author: Author,
): Promise<{ result: RestoreMembersResult; failures: readonly Failure[] }> {
  const result: RestoreMembersResult = { restored: 0, unchanged: 0, conflicts: [] }
  const failures: Failure[] = []
  const restoring = members.map(async ({ groupId, ...member }) => {
    // The type of the schema says that an optional field may be undefined. In JSON it is left out.
    const command = restoreGroupMember(member as GroupMember, author)
    const { memberId } = member
    const outcome = await groupMembers.put(groupId, memberId, command)
    if (outcome.kind !== 'done') failures.push(outcome)
    else if (outcome.value.kind === 'unchanged') result.unchanged += 1
    else if (outcome.value.kind === 'refused') result.conflicts.push({ groupId, memberId })
    else result.restored += 1
  })
  await Promise.all(restoring)
  return { result, failures }
}
