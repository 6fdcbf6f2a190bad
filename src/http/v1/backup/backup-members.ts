import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { MEMBER_CURSOR, MemberBackupPage } from '../../../api/member-backup-schemas.ts'
import { Type } from '../../../api/type.ts'
import type { GroupMembers } from '../../../group/group-members.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { sendFailure } from '../../outcome.ts'
import { DescribedPageQuery, limitOf, PageQuery } from '../../page-query.ts'

const after = Type.Optional(
  Type.String({ pattern: MEMBER_CURSOR, description: 'The `after` of the page before.' }),
)

const schema = {
  operationId: 'backUpGroupMembers',
  tags: ['Operations'],
  summary: 'Read the members of all groups as they are stored',
  description:
    'A page of the members of all groups, with everything that a restore needs, in the order of the groups and then of the members (as UTF-8 bytes). `cohort backup` writes all pages into a file.',
  querystring: Type.Object({ ...PageQuery.properties, after }, { additionalProperties: false }),
  describedQuery: Type.Object({ ...DescribedPageQuery.properties, after }),
  response: { 200: answer('A page.', MemberBackupPage) },
  problems: ['unavailable'],
} as const

/** `GET /v1/backup/members`. */
export function backupMembersRoute(
  groupMembers: GroupMembers,
  { retryAfterSeconds }: Dependencies,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get('/v1/backup/members', { config: { cost: 'bulk' }, schema }, async (request, reply) => {
      const { after } = request.query
      const outcome = await groupMembers.scan({
        after: after === undefined ? undefined : Buffer.from(after, 'base64url').toString(),
        limit: limitOf(request.query),
      })
      if (outcome.kind !== 'done') return sendFailure(reply, outcome, retryAfterSeconds)
      const { members, unreadable, after: next } = outcome.value
      return {
        members: members.map(({ groupId, member }) => ({ groupId, ...member })),
        unreadable,
        after: next === undefined ? undefined : Buffer.from(next).toString('base64url'),
      }
    })
  }
}
