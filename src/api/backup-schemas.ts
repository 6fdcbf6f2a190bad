/** What a backup is made of and restored from: groups with everything that is stored of them. */
import { type Static, Type } from 'typebox'
import { Description, GroupId, Labels } from './schemas.ts'

/** Groups in one request to restore, at most. */
export const RESTORE_GROUPS_MAX = 256

/** The characters that an entity tag may have (RFC 9110 §8.8.3), without those beyond ASCII. */
export const INCARNATION = '^[\\u0021\\u0023-\\u007e]+$'
/**
 * ISO 8601 in UTC with milliseconds: the one form in which times are stored, so that they compare as text.
 */
export const TIME =
  '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\\.[0-9]{3}Z$'

const Time = Type.String({ pattern: TIME, examples: ['2026-01-15T09:30:00.000Z'] })

export const StoredGroup = Type.Object(
  {
    groupId: GroupId,
    description: Type.Optional(Description),
    labels: Type.Optional(Labels),
    version: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    incarnation: Type.String({
      minLength: 1,
      maxLength: 64,
      pattern: INCARNATION,
      description:
        'Which life of the id this is. With the version it makes the ETag: `"version-incarnation"`.',
      examples: ['6f1c0d9a42e8b753-3'],
    }),
    createdAt: Time,
    updatedAt: Time,
  },
  { additionalProperties: false, description: 'A group with everything that is stored of it.' },
)
export type StoredGroup = Static<typeof StoredGroup>

export const BackupPage = Type.Object({
  groups: Type.Array(StoredGroup),
  after: Type.Optional(
    Type.String({ description: 'Pass it as `after` for the next page. Left out on the last one.' }),
  ),
})

export const RestoreBody = Type.Object(
  { groups: Type.Array(StoredGroup, { minItems: 1, maxItems: RESTORE_GROUPS_MAX }) },
  { additionalProperties: false },
)
export type RestoreBody = Static<typeof RestoreBody>

export const RestoreResult = Type.Object({
  restored: Type.Integer({ minimum: 0, description: 'How many groups were brought back.' }),
  unchanged: Type.Integer({
    minimum: 0,
    description: 'How many were there already, the same in everything.',
  }),
  conflicts: Type.Array(GroupId, {
    description:
      'The ids under which there is another group, or another version of it. These were left alone.',
  }),
})
export type RestoreResult = Static<typeof RestoreResult>
