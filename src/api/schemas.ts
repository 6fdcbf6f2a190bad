/**
 * The public API's data as JSON schemas: they validate, they are the types, and they are published as
 * OpenAPI.
 */
import { type Static, Type } from 'typebox'
import {
  DESCRIPTION_LENGTH_MAX,
  GROUP_ID_LENGTH_MAX,
  LABEL_KEY_LENGTH_MAX,
  LABEL_VALUE_LENGTH_MAX,
  LABELS_MAX,
} from '../group/limits.ts'

/** No control characters (C0, DEL, C1) and no lone surrogates. */
const TEXT = '^[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]*$'
/** The same, but tab, line feed and carriage return are text. */
const LINES = '^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\ud800-\\udfff]*$'

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
  description: 'Any text; of control characters only tab and line ends.',
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
  description: 'Labels to set; null removes one, and instead of the object all of them.',
  examples: [{ team: 'edge', tier: null }],
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
  },
  { description: 'A group.' },
)

export const CreateGroupBody = Type.Object(
  { groupId: GroupId, description: Type.Optional(Description), labels: Type.Optional(Labels) },
  { additionalProperties: false },
)
export type CreateGroupBody = Static<typeof CreateGroupBody>

export const UpdateGroupBody = Type.Object(
  {
    description: Type.Optional(Type.Unsafe<string | null>({ ...Description, type: ['string', 'null'] })),
    labels: Type.Optional(LabelsPatch),
  },
  { additionalProperties: false, description: 'A JSON merge patch (RFC 7396).' },
)
export type UpdateGroupBody = Static<typeof UpdateGroupBody>

export const GroupList = Type.Object({
  groups: Type.Array(Group),
  after: Type.Optional(
    Type.String({ description: 'Pass it as `after` for the next page. Left out on the last one.' }),
  ),
})

export const Problem = Type.Object(
  {
    type: Type.String({ description: 'about:blank: the code says it all.' }),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'Stable; see docs/errors.md.' }),
    detail: Type.Optional(Type.String()),
    outcome: Type.Optional(Type.Enum(['not_applied', 'unknown'])),
    requestId: Type.String(),
    errors: Type.Optional(Type.Array(Type.Object({ field: Type.String(), message: Type.String() }))),
  },
  { description: 'An error (RFC 9457).' },
)
export type Problem = Static<typeof Problem>
