/** The members of groups, as the public API takes and shows them. */
import type { Static } from 'typebox'
import { MEMBER_ID_LENGTH_MAX, MEMBER_ROLE_LENGTH_MAX } from '../group/limits.ts'
import { GroupId, NextAfter, RequestId, TEXT, UnreadableIds, UpdatedBy } from './group-schemas.ts'
import { Problem } from './problem-schema.ts'
import { Type } from './type.ts'

/** Group members in one request, at most. */
export const BATCH_MEMBERS_MAX = 1_000

export const GROUP_MEMBER_EXAMPLE = {
  groupId: 'payments',
  memberId: 'alice@example.com',
  role: 'owner',
  version: 1,
  addedAt: '2026-01-15T09:30:00.000Z',
  updatedAt: '2026-01-15T09:30:00.000Z',
  updatedBy: 'key:k7Gh3abc',
  requestId: '5e1f0c9d7a3b4826-1a',
}

export const MemberId = Type.String({
  minLength: 1,
  maxLength: MEMBER_ID_LENGTH_MAX,
  pattern: TEXT,
  description:
    'Who is a member: any Unicode text without control characters, 1 to 256 characters, percent-encoded in paths. Compared byte for byte: no normalisation.',
  examples: [GROUP_MEMBER_EXAMPLE.memberId],
})

export const MemberRole = Type.String({
  maxLength: MEMBER_ROLE_LENGTH_MAX,
  pattern: TEXT,
  description: 'What the member is in the group. Cohort gives it no meaning.',
  examples: [GROUP_MEMBER_EXAMPLE.role],
})

export const GroupMember = Type.Object(
  {
    groupId: GroupId,
    memberId: MemberId,
    role: Type.Optional(MemberRole),
    version: Type.Integer({
      minimum: 1,
      description: 'One higher with every change since the member was added.',
    }),
    addedAt: Type.String({ format: 'date-time' }),
    updatedAt: Type.String({ format: 'date-time' }),
    updatedBy: Type.Optional(UpdatedBy),
    requestId: Type.Optional(RequestId),
  },
  { title: 'GroupMember', description: 'A member of a group.', examples: [GROUP_MEMBER_EXAMPLE] },
)
export type GroupMember = Static<typeof GroupMember>

export const PutGroupMemberBody = Type.Object(
  { role: Type.Optional(MemberRole) },
  {
    title: 'PutGroupMember',
    additionalProperties: false,
    description: 'What the member is in the group. Without a role, the member has none.',
    examples: [{ role: 'owner' }],
  },
)

export const GroupMemberList = Type.Object(
  {
    members: Type.Array(GroupMember),
    unreadable: Type.Optional(
      Type.Array(MemberId, {
        description:
          'Members of this page that exist but cannot be read. Missing when there are none. The log of the connector has a line for each.',
      }),
    ),
    after: Type.Optional(NextAfter),
  },
  {
    title: 'GroupMemberList',
    description: 'A page of the members of a group.',
    examples: [{ members: [GROUP_MEMBER_EXAMPLE], after: GROUP_MEMBER_EXAMPLE.memberId }],
  },
)
export type GroupMemberList = Static<typeof GroupMemberList>

export const GroupsOfList = Type.Object(
  {
    groups: Type.Array(GroupMember, { description: 'The member, in each of the groups.' }),
    unreadable: Type.Optional(UnreadableIds),
    after: Type.Optional(NextAfter),
  },
  {
    title: 'GroupsOfList',
    description: 'A page of the groups that somebody is in.',
    examples: [{ groups: [GROUP_MEMBER_EXAMPLE], after: GROUP_MEMBER_EXAMPLE.groupId }],
  },
)
export type GroupsOfList = Static<typeof GroupsOfList>

export const GroupMemberBatchBody = Type.Object(
  {
    add: Type.Optional(
      Type.Array(
        Type.Object({ memberId: MemberId, role: Type.Optional(MemberRole) }, { additionalProperties: false }),
        { maxItems: BATCH_MEMBERS_MAX },
      ),
    ),
    remove: Type.Optional(Type.Array(MemberId, { maxItems: BATCH_MEMBERS_MAX })),
  },
  {
    title: 'GroupMemberBatch',
    additionalProperties: false,
    description: 'Whom to add and whom to remove: at most 1,000 in all. Those to add are added first.',
    examples: [{ add: [{ memberId: 'alice@example.com', role: 'owner' }], remove: ['bob@example.com'] }],
  },
)
export type GroupMemberBatchBody = Static<typeof GroupMemberBatchBody>

const status = Type.Integer({
  description: 'The HTTP status that the request for this member would have alone.',
})

const Outcomes = Type.Array(
  Type.Union([
    Type.Object({ memberId: MemberId, status, etag: Type.String({ description: 'As the header `ETag`.' }) }),
    Type.Object({ memberId: MemberId, status, problem: Problem }),
  ]),
  { description: 'In the order of the request.' },
)

export const GroupMemberBatchResult = Type.Object(
  {
    add: Outcomes,
    remove: Outcomes,
  },
  {
    title: 'GroupMemberBatchResult',
    description: 'What became of each member.',
    examples: [
      {
        add: [{ memberId: 'alice@example.com', status: 201, etag: '"1-6f1c0d9a42e8b753-3"' }],
        remove: [
          {
            memberId: 'bob@example.com',
            status: 404,
            problem: {
              type: 'about:blank',
              status: 404,
              title: 'The group does not have this member',
              code: 'group_member_not_found',
              detail: 'The group does not have this member.',
              requestId: '5e1f0c9d7a3b4826-1a',
            },
          },
        ],
      },
    ],
  },
)
export type GroupMemberBatchResult = Static<typeof GroupMemberBatchResult>
