/**
 * Groups, as the public API takes and shows them. Each schema validates requests, gives a TypeScript type,
 * and is published in the OpenAPI document. A schema with a `title` is a component of that name there.
 */
import type { Static } from 'typebox'
import {
  DESCRIPTION_LENGTH_MAX,
  GROUP_ID_LENGTH_MAX,
  LABEL_KEY_LENGTH_MAX,
  LABEL_VALUE_LENGTH_MAX,
  LABELS_MAX,
} from '../group/limits.ts'
import { Type } from './type.ts'

/** No control characters (C0, DEL, C1) and no lone surrogates. */
export const TEXT = '^[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]*$'
/** As `TEXT`, but tab, line feed and carriage return are allowed. */
const LINES = '^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\ud800-\\udfff]*$'

const NEW_GROUP_EXAMPLE = {
  groupId: 'payments',
  description: 'Card payments and refunds',
  labels: { team: 'core' },
}

export const GROUP_EXAMPLE = {
  ...NEW_GROUP_EXAMPLE,
  version: 1,
  createdAt: '2026-01-15T09:30:00.000Z',
  updatedAt: '2026-01-15T09:30:00.000Z',
  updatedBy: 'key:k7Gh3abc',
  requestId: '5e1f0c9d7a3b4826-1a',
}

export const GroupId = Type.String({
  minLength: 1,
  maxLength: GROUP_ID_LENGTH_MAX,
  pattern: TEXT,
  description:
    'Any Unicode text without control characters, 1 to 256 characters, percent-encoded in paths. Compared byte for byte: no normalisation.',
  examples: ['payments'],
})

export const Description = Type.String({
  maxLength: DESCRIPTION_LENGTH_MAX,
  pattern: LINES,
  description: 'Any text. The only control characters allowed are tab, line feed and carriage return.',
  examples: ['Card payments and refunds'],
})

const labelKey = { minLength: 1, maxLength: LABEL_KEY_LENGTH_MAX, pattern: TEXT }
const labelValue = { type: 'string', maxLength: LABEL_VALUE_LENGTH_MAX, pattern: TEXT }

export const Labels = Type.Unsafe<{ [key: string]: string }>({
  type: 'object',
  maxProperties: LABELS_MAX,
  propertyNames: labelKey,
  additionalProperties: labelValue,
  description: 'At most 64; keys of 1 to 63 characters, values of at most 256, without control characters.',
  examples: [{ team: 'core' }],
})

const LabelsPatch = Type.Unsafe<{ [key: string]: string | null } | null>({
  type: ['object', 'null'],
  propertyNames: labelKey,
  additionalProperties: { ...labelValue, type: ['string', 'null'] },
  description:
    'Labels to set. A null for a value removes that label; null instead of the object removes all labels.',
  examples: [{ team: 'edge', tier: null }],
})

/** A kind of callers, a colon, and an id of at most 256 characters. */
const CALLER_REF_LENGTH_MAX = 300

export const UpdatedBy = Type.String({
  minLength: 1,
  maxLength: CALLER_REF_LENGTH_MAX,
  pattern: TEXT,
  description:
    'Who has made the last change: the kind of the caller and its id. `anonymous:everyone` if the connector has asked nobody. Missing if a version of Cohort before this field has made the change.',
  examples: ['key:k7Gh3abc'],
})

export const RequestId = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: '^[!-~]+$',
  description:
    'The `X-Request-Id` of the request that has made the last change. Given together with `updatedBy`.',
  examples: ['5e1f0c9d7a3b4826-1a'],
})

export const Group = Type.Object(
  {
    groupId: GroupId,
    description: Type.Optional(Description),
    labels: Type.Optional(Labels),
    version: Type.Integer({
      minimum: 1,
      description: 'One higher with every change since the group was created.',
    }),
    createdAt: Type.String({ format: 'date-time' }),
    updatedAt: Type.String({ format: 'date-time' }),
    updatedBy: Type.Optional(UpdatedBy),
    requestId: Type.Optional(RequestId),
  },
  { title: 'Group', description: 'A group.', examples: [GROUP_EXAMPLE] },
)

export const CreateGroupBody = Type.Object(
  { groupId: GroupId, description: Type.Optional(Description), labels: Type.Optional(Labels) },
  {
    title: 'CreateGroup',
    additionalProperties: false,
    description: 'The group to create.',
    examples: [NEW_GROUP_EXAMPLE],
  },
)
export type CreateGroupBody = Static<typeof CreateGroupBody>

export const UpdateGroupBody = Type.Object(
  {
    description: Type.Optional(Type.Unsafe<string | null>({ ...Description, type: ['string', 'null'] })),
    labels: Type.Optional(LabelsPatch),
  },
  {
    title: 'UpdateGroup',
    additionalProperties: false,
    description: 'A JSON merge patch (RFC 7396).',
    examples: [{ description: null, labels: { team: 'edge' } }],
  },
)
export type UpdateGroupBody = Static<typeof UpdateGroupBody>

/** Where the next page of a list starts. */
export const NextAfter = Type.String({
  description: 'Pass it as `after` for the next page. It is left out on the last page.',
})

/** Groups that a page cannot show. */
export const UnreadableIds = Type.Array(GroupId, {
  description:
    'The ids of groups of this page that exist but cannot be read: the bytes that the nodes hold for them are not a group. Missing when there are none. The log of the connector has a line for each.',
})

export const GroupList = Type.Object(
  {
    groups: Type.Array(Group, { description: 'Empty with `fields=groupId`.' }),
    groupIds: Type.Optional(
      Type.Array(GroupId, { description: 'The ids of the groups. Only with `fields=groupId`.' }),
    ),
    unreadable: Type.Optional(UnreadableIds),
    after: Type.Optional(NextAfter),
  },
  {
    title: 'GroupList',
    description: 'A page of groups.',
    examples: [{ groups: [GROUP_EXAMPLE], after: 'payments' }],
  },
)
