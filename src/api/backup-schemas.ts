/** The groups of a backup: as `GET /v1/backup` answers them, and as `POST /v1/restore` takes them. */
import type { Static } from 'typebox'
import { VERSION_MAX } from '../group/limits.ts'
import {
  Description,
  GROUP_EXAMPLE,
  GroupId,
  Labels,
  NextAfter,
  RequestId,
  UnreadableIds,
  UpdatedBy,
} from './group-schemas.ts'
import { Type } from './type.ts'

/** Groups in one request to restore, at most. */
export const RESTORE_GROUPS_MAX = 256

/** The ASCII characters that an entity tag may have (RFC 9110 §8.8.3). */
export const INCARNATION = '^[\\u0021\\u0023-\\u007e]+$'
/** ISO 8601 in UTC with milliseconds. All times are stored in this one form, so that they compare as text. */
export const TIME =
  '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\\.[0-9]{3}Z$'

const Time = Type.String({ pattern: TIME, examples: ['2026-01-15T09:30:00.000Z'] })

const STORED_EXAMPLE = { ...GROUP_EXAMPLE, incarnation: '6f1c0d9a42e8b753-3' }

export const StoredGroup = Type.Object(
  {
    groupId: GroupId,
    description: Type.Optional(Description),
    labels: Type.Optional(Labels),
    version: Type.Integer({ minimum: 1, maximum: VERSION_MAX }),
    incarnation: Type.String({
      minLength: 1,
      maxLength: 64,
      pattern: INCARNATION,
      description:
        'Tells one group from a later one that has the same id. Version and incarnation make the ETag: `"version-incarnation"`.',
      examples: ['6f1c0d9a42e8b753-3'],
    }),
    createdAt: Time,
    updatedAt: Time,
    updatedBy: Type.Optional(UpdatedBy),
    requestId: Type.Optional(RequestId),
  },
  {
    title: 'StoredGroup',
    additionalProperties: false,
    description: 'A group with all fields that are stored.',
    examples: [STORED_EXAMPLE],
  },
)
export type StoredGroup = Static<typeof StoredGroup>

export const BackupPage = Type.Object(
  {
    groups: Type.Array(StoredGroup),
    unreadable: Type.Optional(UnreadableIds),
    after: Type.Optional(NextAfter),
  },
  {
    title: 'BackupPage',
    description: 'A page of groups as they are stored.',
    examples: [{ groups: [STORED_EXAMPLE], after: 'payments' }],
  },
)
export type BackupPage = Static<typeof BackupPage>

export const RestoreBody = Type.Object(
  { groups: Type.Array(StoredGroup, { minItems: 1, maxItems: RESTORE_GROUPS_MAX }) },
  {
    title: 'Restore',
    additionalProperties: false,
    description: 'The groups to restore.',
    examples: [{ groups: [STORED_EXAMPLE] }],
  },
)
export type RestoreBody = Static<typeof RestoreBody>

export const RestoreResult = Type.Object(
  {
    restored: Type.Integer({ minimum: 0, description: 'How many groups were restored.' }),
    unchanged: Type.Integer({
      minimum: 0,
      description: 'How many groups existed already with the same content.',
    }),
    conflicts: Type.Array(GroupId, {
      description:
        'The ids under which a different group, or another version of the group, exists. Those groups were not changed.',
    }),
  },
  {
    title: 'RestoreResult',
    description: 'How many groups were restored, and which were not.',
    examples: [{ restored: 1, unchanged: 0, conflicts: [] }],
  },
)
export type RestoreResult = Static<typeof RestoreResult>
