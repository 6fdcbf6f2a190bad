/**
 * The members of groups in a backup: as `GET /v1/backup/members` answers them, and as
 * `POST /v1/restore/members` takes them.
 */
import type { Static } from 'typebox'
import { RESTORE_GROUPS_MAX, StoredGroup } from './backup-schemas.ts'
import { GROUP_MEMBER_EXAMPLE, MemberId, MemberRole } from './group-member-schemas.ts'
import { GroupId, NextAfter } from './group-schemas.ts'
import { Type } from './type.ts'

/** Group members in one request to restore, at most. */
export const RESTORE_MEMBERS_MAX = RESTORE_GROUPS_MAX

/** Where a page of the members of all groups starts, as the page before has it. */
export const MEMBER_CURSOR = '^[A-Za-z0-9_-]{1,8192}$'

const { version, incarnation, createdAt, updatedBy, requestId } = StoredGroup.properties
const time = createdAt

const STORED_MEMBER_EXAMPLE = { ...GROUP_MEMBER_EXAMPLE, incarnation: '6f1c0d9a42e8b753-7' }

export const StoredGroupMember = Type.Object(
  {
    groupId: GroupId,
    memberId: MemberId,
    role: Type.Optional(MemberRole),
    version,
    incarnation,
    addedAt: time,
    updatedAt: time,
    updatedBy,
    requestId,
  },
  {
    title: 'StoredGroupMember',
    additionalProperties: false,
    description: 'A member of a group with all fields that are stored.',
    examples: [STORED_MEMBER_EXAMPLE],
  },
)
export type StoredGroupMember = Static<typeof StoredGroupMember>

const MemberOfGroup = Type.Object({ groupId: GroupId, memberId: MemberId })

export const MemberBackupPage = Type.Object(
  {
    members: Type.Array(StoredGroupMember),
    unreadable: Type.Optional(
      Type.Array(MemberOfGroup, {
        description: 'Members of this page that exist but cannot be read. Missing when there are none.',
      }),
    ),
    after: Type.Optional(NextAfter),
  },
  {
    title: 'MemberBackupPage',
    description: 'A page of the members of all groups as they are stored.',
    examples: [{ members: [STORED_MEMBER_EXAMPLE], after: 'cGF5bWVudHM' }],
  },
)
export type MemberBackupPage = Static<typeof MemberBackupPage>

export const RestoreMembersBody = Type.Object(
  { members: Type.Array(StoredGroupMember, { minItems: 1, maxItems: RESTORE_MEMBERS_MAX }) },
  {
    title: 'RestoreMembers',
    additionalProperties: false,
    description: 'The members to restore.',
    examples: [{ members: [STORED_MEMBER_EXAMPLE] }],
  },
)
export type RestoreMembersBody = Static<typeof RestoreMembersBody>

export const RestoreMembersResult = Type.Object(
  {
    restored: Type.Integer({ minimum: 0, description: 'How many members were restored.' }),
    unchanged: Type.Integer({
      minimum: 0,
      description: 'How many were there already, with the same content.',
    }),
    conflicts: Type.Array(MemberOfGroup, {
      description: 'The members that are there with another content, or whose group does not exist.',
    }),
  },
  {
    title: 'RestoreMembersResult',
    description: 'How many members were restored, and which were not.',
    examples: [{ restored: 1, unchanged: 0, conflicts: [] }],
  },
)
export type RestoreMembersResult = Static<typeof RestoreMembersResult>
